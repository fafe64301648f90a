import { quoteWord } from '../../shell/quote.js'
import { decode } from './encoding.js'
import { BLOCK } from './guest-programs.js'
import { checkCarried } from './most-carried.js'
import { noRoomError } from './no-room.js'
import { type ShellSession, TRIES, unintelligibleError } from './shell-session.js'
import { type Stop, Stopped } from './stop.js'
import { upload } from './upload.js'

/** Characters of a script that is typed as it is; longer ones go through a file. */
const TYPED = 3000

/** Bytes that are asked for at once where the kernel spoke in the midst of a block. */
const PIECE = 2 ** 11

/** What a program is to do. */
export interface Program {
  /** For a shell of its own. */
  script: string
  /** What it reads; nothing unless given. */
  stdin: Buffer | undefined
}

/** What a program did. */
export interface ProgramEnd {
  exitCode: number
  stdout: Buffer
  stderr: Buffer
  /** Why it was killed; the output is the beginning of what it printed then. */
  stopped?: 'TIMEOUT' | 'ABORTED' | undefined
}

interface Status {
  exitCode: number
  /** Bytes. */
  sizes: Record<Stream, number>
}

/** Standard output and standard error, as the guest's functions call them. */
type Stream = 'o' | 'e'

/** The output of a program that was killed: as much of it as came with its end. */
const NOTHING = { exitCode: 137, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

/**
 * Runs a program in a guest's shell; it is killed when it is to be stopped.
 *
 * @throws GuestError `GUEST_CONSOLE_LIMIT` if it reads or prints too much, `GUEST_FILE_FAILED` if the guest has no room
 *   for that, `GUEST_CONSOLE_LOST`
 */
export async function runProgram(
  session: ShellSession,
  program: Program,
  stop: Stop,
): Promise<ProgramEnd> {
  try {
    const reply = await session.request(await commandFor(session, program, stop), stop)
    const { exitCode, sizes } = await statusIn(session, reply, stop)
    checkCarried(sizes.o + sizes.e, 'what the program printed')
    const stdout = await output(session, reply, 'o', sizes.o, stop)
    const stderr = await output(session, reply, 'e', sizes.e, stop)
    return { exitCode, stdout, stderr }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    const reply = await session.interrupt()
    return { ...beginningIn(session, reply), stopped: stop.code }
  }
}

/** The line that has the guest run it; what is too long for a line is in files then. */
async function commandFor(
  session: ShellSession,
  { script, stdin }: Program,
  stop: Stop,
): Promise<string> {
  let typed = quoteWord(script)
  if (typed.length > TYPED || !/^[ -~]*$/.test(typed)) {
    await upload(session, 'c', Buffer.from(script), stop)
    typed = '". $d/c"'
  }
  if (stdin === undefined) return `r ${typed} /dev/null`
  checkCarried(stdin.length, 'the input of the program')
  await upload(session, 'i', stdin, stop)
  return `r ${typed} $d/i`
}

async function statusIn(session: ShellSession, reply: string, stop: Stop): Promise<Status> {
  const known = new RegExp(`${statusOf(session).source}|${session.nonce}!(?<directory>\\S+)!`)
  const found = await session.ask('w', known, stop, reply)
  const directory = found.groups?.directory
  if (directory !== undefined) throw noRoomError(directory, reply)
  return readStatus(found)
}

/** How `w` tells of a program's end. */
function statusOf({ nonce }: ShellSession): RegExp {
  return new RegExp(`${nonce}=(\\d+) (\\d+) (\\d+)=`)
}

function readStatus(found: RegExpExecArray): Status {
  const [exitCode = 0, o = 0, e = 0] = found.slice(1).map(Number)
  return { exitCode, sizes: { o, e } }
}

async function output(
  session: ShellSession,
  reply: string,
  stream: Stream,
  size: number,
  stop: Stop,
): Promise<Buffer> {
  const blocks: Buffer[] = []
  for (let start = 0; start < size; start += BLOCK) {
    const end = Math.min(start + BLOCK, size)
    const block =
      start === 0
        ? blockIn(session, reply, `${stream}0`, end)
        : await ask(session, { stream, start, end, unit: BLOCK }, stop)
    blocks.push(block ?? (await inPieces(session, { stream, start, end }, stop)))
  }
  return Buffer.concat(blocks)
}

/** A part of an output, from one byte to before another. */
interface Part {
  stream: Stream
  start: number
  end: number
}

async function inPieces(session: ShellSession, part: Part, stop: Stop): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let { start } = part; start < part.end; start += PIECE) {
    const piece = { ...part, start, end: Math.min(start + PIECE, part.end), unit: PIECE }
    let bytes: Buffer | undefined
    for (let tries = 0; bytes === undefined; tries++) {
      if (tries === TRIES) throw unintelligibleError()
      bytes = await ask(session, piece, stop)
    }
    pieces.push(bytes)
  }
  return Buffer.concat(pieces)
}

async function ask(
  session: ShellSession,
  { stream, start, end, unit }: Part & { unit: number },
  stop: Stop,
): Promise<Buffer | undefined> {
  const number = start / unit
  const reply = await session.request(`v ${stream} ${number} ${unit}`, stop)
  return blockIn(session, reply, `${stream}${number}`, end - start)
}

function blockIn(
  { nonce, encoding }: ShellSession,
  reply: string,
  label: string,
  size: number,
): Buffer | undefined {
  const begin = reply.indexOf(`${nonce}+${label}+`)
  const end = reply.indexOf(`${nonce}-${label}-`)
  if (begin === -1 || end < begin) return undefined
  return decode(reply.slice(begin + `${nonce}+${label}+`.length, end), size, encoding)
}

function beginningIn(session: ShellSession, reply: string): ProgramEnd {
  const found = statusOf(session).exec(reply)
  if (found === null) return NOTHING
  const status = readStatus(found)
  const beginning = (stream: Stream) =>
    blockIn(session, reply, `${stream}0`, Math.min(BLOCK, status.sizes[stream])) ?? Buffer.alloc(0)
  return { exitCode: status.exitCode, stdout: beginning('o'), stderr: beginning('e') }
}
