"""How long the story is: NURTURE_STORY_CUSTOMERS people over NURTURE_STORY_DAYS, a day in NURTURE_STORY_DAY_S seconds."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
