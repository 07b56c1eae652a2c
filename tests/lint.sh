#!/bin/bash
# make lint CFLAGS…: clang's warnings, clang-tidy (.clang-tidy) and cppcheck over daemon/. Ends with 0 where none of them finds anything.
set -u
cd "$(dirname "$0")/.." || exit 2
flags=("$@")
jobs=$(nproc)
failed=0

# part NAME COMMAND…: runs one, and shows what it says where it fails.
part() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "ok      $name"
    else
        failed=1
        printf 'FAILED  %s\n%s\n' "$name" "$said"
    fi
}

sources() { git ls-files 'daemon/*.c'; }

# Not asked of clang: what it says of g_autoptr variables that live for their clean-up alone, and of libseccomp's macros.
clang_warnings() {
    sources | xargs -P "$jobs" -n 8 clang "${flags[@]}" -Werror -Wno-unused-variable -Wno-missing-field-initializers -fsyntax-only
}

tidy_one() {
    local said status
    said=$(clang-tidy --quiet "$@" -- "${flags[@]}" 2>/dev/null)
    status=$?
    [ $status -eq 0 ] || echo "$said"
    return $status
}

# bash -c, so that xargs can call the function; the flags travel as words of their own
tidy() {
    export -f tidy_one
    sources | xargs -P "$jobs" -n 4 bash -c "flags=(${flags[*]@Q}); tidy_one \"\$@\"" tidy
}

# Suppressed: what this cppcheck misreads. It does not know __VA_OPT__ (files of store/ that use it without values end in a "syntax
# error"), takes g_source_unref() of a member for the end of its holder, and a thread that ends by itself for a leak.
cppcheck_all() {
    cppcheck -q -j "$jobs" --enable=warning,performance,portability --library=gtk,posix --error-exitcode=1 \
        --suppress=missingInclude --suppress=nullPointerRedundantCheck \
        --suppress=syntaxError:daemon/store/\* --suppress=deallocuse:daemon/base/clock.c --suppress=doubleFree:daemon/base/clock.c \
        --suppress=memleak:daemon/smtp/pool.c \
        -D'__VA_OPT__(...)=__VA_ARGS__' -D'G_DEFINE_QUARK(a,b)=' -D__linux__ -D_GNU_SOURCE -Iinclude -Idaemon daemon
}

part "clang's warnings" clang_warnings
part "cppcheck" cppcheck_all
part "clang-tidy" tidy
exit $failed
