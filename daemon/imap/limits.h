/*
 * Every limit of the room in one place: what a server may send, how long it may take, and what may be on its way between the
 * watcher (child) and the link (parent). Octets and milliseconds.
 */
#pragma once

enum {
    /* ---- a conversation with the server: time and octets of one operation, whatever the server does ---- */
    IMAP_CONNECT_MS = 15 * 1000, /* one address */
    IMAP_HANDSHAKE_MS = 30 * 1000,
    IMAP_COMMAND_MS = 60 * 1000,
    IMAP_DONE_MS = 30 * 1000,              /* the answer to DONE */
    IMAP_SLOWEST_OCTETS_PER_S = 16 * 1024, /* a body slower than this is given up */
    IMAP_HANDSHAKE_OCTETS = 256 * 1024,
    IMAP_COMMAND_OCTETS = 64 * 1024,
    IMAP_SEARCH_OCTETS = 8 * 1024 * 1024, /* about a million UIDs */
    IMAP_LIST_OCTETS = 2 * 1024 * 1024,   /* about 20,000 folders */
    IMAP_NAME_OCTETS = 1000,              /* of a folder's name */
    IMAP_LINE_OCTETS = 8 * 1024,          /* a line that is not given to libetpan */
    IMAP_IDLE_MS = 5 * 60 * 1000,         /* then we look ourselves: servers may forget to tell */
    IMAP_REOPEN_MS = 5 * 60 * 1000,       /* then the folder that is waited in is opened anew */
    IMAP_QUIET_MS = 9 * 60 * 1000,        /* longest silence of ours where there is no IDLE */
    IMAP_RESETTLE_MS = 1000,              /* pause where a mailbox will not come to rest */
    IMAP_LOOKS_IN_A_ROW = 8,

    /* ---- fetching ---- */
    FETCH_CHUNK = 512,                    /* UIDs asked about in one command */
    FETCH_BATCH_OCTETS = 4 * 1024 * 1024, /* bodies in one command */
    FETCH_BODY_OCTETS = 8 * 1024 * 1024,  /* of one message; what is beyond stays on the server */
    FETCH_ITEM_OCTETS = 1024,             /* of a response, besides the body */
    FETCH_MISSIZED_OCTETS = 1024 * 1024,  /* servers that tell sizes roughly */
    SCREEN_HEADER_OCTETS = 16 * 1024,     /* of a header, to tell whether its message is wanted; of longer ones, it is */
    SCREEN_MIN = 16,                      /* messages, or */
    SCREEN_LARGE_OCTETS = 64 * 1024,      /* octets of one, from which on it is worth asking first */
    SCREEN_SKIPPED = 7,                   /* chunks read without asking, after one of which most was wanted */
    WINDOW_RECORDS = 512,                 /* records sent and not yet committed */
    WINDOW_OCTETS = 16 * 1024 * 1024,

    /* ---- between parent and child ---- */
    FRAME_OCTETS = 4 * 1024 * 1024,
    FRAME_TEXT_OCTETS = 512, /* why something failed, after escaping */
    HELLO_MS = 30 * 1000,
    HEARTBEAT_MS = 5 * 1000,
    SILENCE_MS = 60 * 1000, /* a child that says nothing for this long is ended */
    GRACE_MS = 1000,        /* between SIGTERM and SIGKILL */
    MAX_FOLDERS = 64,
    MAX_ADDRESSES = 8,
    ASK_MS = 60 * 1000,     /* the parent's time to say which messages it wants */
    TASK_WINDOW = 8,                 /* tasks asked and not yet answered */
    TASK_OCTETS = 64 * 1024 * 1024,  /* of a message to be filed */
    TASK_PIECE_OCTETS = 64 * 1024,   /* of it on the way at a time */
    TASK_PIECE_MS = 30 * 1000,       /* the parent's time to give a piece */
    TASK_ID_OCTETS = 998,            /* of a Message-ID: a line */
    TASKS_IN_A_ROW_MS = 5 * 1000,    /* then the folders are looked at again */

    /* ---- starting again ---- */
    RETRY_FIRST_MS = 1000,
    RETRY_REFUSED_MS = 30 * 1000, /* password or certificate: a person must act; do not have the account locked meanwhile */
    RETRY_MAX_MS = 5 * 60 * 1000,
    RETRY_BUSY_MS = 5 * 1000,
    RETRY_THROTTLED_MS = 60 * 1000,
    RETRY_THROTTLED_MAX_MS = 60 * 60 * 1000,
    SETTLED_MS = 20 * 1000, /* watching for this long makes the back-off begin anew */
    SUSPECT_DEATHS = 3,     /* a message during which the child died this often is handed on unread */

    /* ---- the child's own ---- */
    CHILD_MEMORY_OCTETS = 512 * 1024 * 1024, /* address space besides what program and libraries take */
    CHILD_FILES = 64
};
