/*
 * The way out of notices (store/notices.h): from an account's address to itself, by a connection of its own, one at a time.
 */
#pragma once

#include "engine/core.h"
#include "engine/tokens.h"

typedef struct Post Post;

/* account belongs to core's configuration of now, which the post keeps; tokens outlives it. Sends what waits. */
Post *post_new(EngineCore *core, const Account *account, Tokens *tokens);
void post_free(Post *post);

/* There may be something to send. */
void post_wake(Post *post);
