import { quoteWord } from '../shell/quote.js'

/**
 * Makes sure that what follows is in a process group of its own, as sshd sees to and dropbear does not. `$1` is
 * what follows.
 */
const LEAD = `
read -r _ _ _ _ group _ 2>/dev/null </proc/$$/stat
if [ "$group" != $$ ] && command -v setsid >/dev/null; then
  exec setsid /bin/sh -c "$1" "$0" "$@"
fi
eval "$1"
`

/**
 * Tells the pid and the process group after a mark, `$2`, and becomes the program; standard output has the mark as well,
 * since the user's shell may have said something on both. `$3` is empty where the program reads nothing. sshd gives it
 * sockets, of which no program can open `/dev/stdout` anew: pipes, then, with names for as long as it takes to open
 * them, and not on a filesystem that may be frozen. What writes them is no child of the program's, which may wait for
 * all that it has.
 */
const RUN = `
read -r _ _ _ _ group _ 2>/dev/null </proc/$$/stat
echo "$2 $$ $group" >&2
echo "$2 "
pipe=/tmp/.vm-states-$2
[ -w /dev/shm ] && pipe=/dev/shm/.vm-states-$2
input=$3
shift 3
cd /
if [ -S /proc/self/fd/1 ] && mkfifo -m 600 \${input:+"$pipe.0"} "$pipe.1" "$pipe.2"; then
  if [ -n "$input" ]; then
    exec 3<&0
    (cat <&3 >"$pipe.0" 2>/dev/null &)
    exec <"$pipe.0" 3<&-
  fi
  (cat <"$pipe.1" &)
  exec >"$pipe.1"
  (cat <"$pipe.2" >&2 &)
  exec 2>"$pipe.2"
  rm -f "$pipe.0" "$pipe.1" "$pipe.2"
fi
[ -n "$input" ] || exec </dev/null
exec "$@"
`

const KILL_GROUP =
  'if [ "$1" = "$2" ]; then kill -s KILL -- "-$1"; else kill -s KILL "$1"; fi 2>/dev/null'

/** Runs a command that was written so that all shells that users have take it for one word. */
const FROM_WORD = 'eval "$(printf %b "$1")"'

/** Runs the command that is the first line of its standard input, and leaves the rest to it. */
const FROM_INPUT = 'IFS= read -r command && eval "$(printf %b "$command")"'

/** Characters of a command that any sshd takes: dropbear's limit is 9000. */
const LONGEST = 8000

/** A command as sshd takes it, and what comes before the program's own input. */
interface RemoteCommand {
  command: string
  firstLine: string
}

function words(script: string, ...args: readonly string[]): string {
  return `exec /bin/sh -c ${[script, 'sh', ...args].map(quoteWord).join(' ')}`
}

/**
 * The command that runs a program.
 *
 * @param mark - a word that comes before what is told of the process, as a line of standard error
 */
export function remoteCommand(
  { path, arg, hasInput }: { path: string; arg: readonly string[]; hasInput: boolean },
  mark: string,
): RemoteCommand {
  const word = asOneWord(words(LEAD, RUN, mark, hasInput ? 'input' : '', path, ...arg))
  const command = words(FROM_WORD, word)
  if (command.length <= LONGEST) return { command, firstLine: '' }
  return { command: words(FROM_INPUT), firstLine: `${word}\n` }
}

/** The command that kills a program with its process group. */
export function killCommand({ pid, group }: { pid: string; group: string }): string {
  return words(KILL_GROUP, pid, group)
}

/** Text as `printf %b` takes it, in printable ASCII, with nothing that means something in quotes of csh or fish. */
function asOneWord(text: string): string {
  return text.replace(/[^ "-&(-[\]-~]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join(''),
  )
}
