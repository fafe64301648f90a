/** Bytes of output that the guest prints at once. */
export const BLOCK = 2 ** 15

/** What the guest prints when it has done the request of a number, and can do the next. */
export function promptAfter(nonce: string, request: number): string {
  return `${nonce}.${request}$ `
}

/**
 * What makes any shell one that does what is typed, line by line: with a prompt of its own, without an echo, and
 * without an editor. It is short, since it is typed where there may be an editor yet.
 *
 * @param nonce - what nothing else on the console begins with
 */
export function becomeLoop(nonce: string): string {
  const loop = [
    'stty -echo',
    `n=${nonce} k=0`,
    'trap i=1 INT',
    // A read that Ctrl-C has ended is not the end, and neither is a mistake in a line.
    'while printf "\\n%s.%s\\$ " $n $k; do until IFS= read -r l; do [ "$i" ] || exit; i=; done',
    'command eval "$l"; done',
  ]
  return `exec /bin/sh -c '${loop.join('; ')}'`
}

/**
 * Lines that teach the loop what it needs: a place of its own, in memory if possible, and how bytes travel, which is
 * in base64 or as numbers where the guest has none. A place has the shell's process ID in its name: those of shells
 * that are no more, or that this process was before, are removed first.
 *
 * `h` makes the place anew where somebody has removed it. `w` prints how the last program has ended and how much it
 * printed, or the place where that is not all kept; `v` prints a block of it. `r` runs a program, in a process group of
 * its own that Ctrl-C kills, until all that has its output open has ended. It waits without job control, with which a
 * program that stops would be taken for one that has ended. A program may open its `/dev/stdout` anew, so that it gets
 * pipes; `c` removes a pipe once all of it is kept. `a` adds what was typed to a file, and `z` prints the file's size.
 */
export const PREPARATION: readonly string[] = [
  'for d in /dev/shm /run /tmp; do for d in $d/vms-????????.[0-9]*; do ' +
    `if [ -O "$d" ] && [ ! -L "$d" ] && { p=\${d##*.}; [ "$p" = $$ ] || ! kill -0 "$p"; }; then rm -rf "$d"; fi; ` +
    'done; done 2>/dev/null',
  'for d in /dev/shm /run /tmp; do d=$d/$n.$$; if mkdir -m 700 $d; then break; fi; done 2>/dev/null',
  "trap 'rm -rf $d' EXIT",
  'if command -v base64 >/dev/null; then m=base64; b() { base64; }; u() { base64 -d; }; ' +
    'else m=numbers; b() { od -An -v -tx1; }; u() { IFS= read -r t; printf "$t"; }; fi',
  'w() { if [ "$t" ] || { [ -e $d/o ] && [ -e $d/e ] && [ ! -p $d/1 ] && [ ! -p $d/2 ]; }; ' +
    'then printf "\\n%s=%s %s %s=\\n" $n $s $(wc -c <$d/o) $(wc -c <$d/e); else printf "\\n%s!%s!\\n" $n $d; fi; }',
  'v() { printf "\\n%s+%s%s+\\n" $n $1 $2; dd if=$d/$1 bs=$3 skip=$2 count=1 2>/dev/null | b; ' +
    'printf "\\n%s-%s%s-\\n" $n $1 $2; }',
  'c() { cat <$d/$1 >$d/$2 && rm -f $d/$1; }',
  'h() { [ -d $d ] || mkdir -m 700 $d; }',
  'r() { i= t=; h; rm -f $d/[12oe]; mkfifo $d/1 $d/2 || { w; return; }; set -m; c 1 o & o=$!; c 2 e & e=$!; ' +
    '/bin/sh -c "$1" <$2 >$d/1 2>$d/2 & p=$!; set +m; ' +
    'while :; do wait $p; q=$?; [ "$t" ] || s=$q; [ "$i" ] || wait $o $e; [ "$i" ] || break; i= t=1 s=137; ' +
    'kill -s KILL -- -$p || kill -s KILL $p; set -m; { sleep 1; kill -s KILL -- -$o -$e; } & g=$!; set +m; done 2>/dev/null; ' +
    '[ ! "$t" ] || kill -s KILL -- -$g 2>/dev/null; ' +
    `rm -f $d/[ci]; w; v o 0 ${BLOCK}; v e 0 ${BLOCK}; }`,
  'z() { printf "\\n%s@%s %s@\\n" $n $d $(wc -c <$d/$1); }',
  'a() { printf %s "$x" | u >>$d/$1; x=; z $1; }',
]
