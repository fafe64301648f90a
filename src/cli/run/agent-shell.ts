import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import type { Vm } from '../../guest/vm.js'
import { isVmStatesError } from '../../params/errors.js'
import { failureText } from '../output/failure.js'
import type { Context } from '../report.js'
import type { End } from './end.js'

const START = '/root'

/**
 * Runs the line in the directory, and tells where it ended. Both are parameters: neither is a part of
 * the script.
 */
const SCRIPT = `cd "$1" 2>/dev/null || cd /
eval "$2"
code=$?
printf '\\n%s %s' "$3" "$PWD"
exit $code`

/**
 * A shell in a guest, line by line, through its agent: it needs neither a network nor a password. Each
 * line is a shell of its own; only the directory is remembered.
 *
 * @param ends - what else ends it
 */
export async function agentShell(vm: Vm, ends: Promise<End>, command: Context): Promise<End> {
  const { stdin, stdout } = process
  const lines = createInterface({ input: stdin, output: stdout, terminal: stdin.isTTY === true })
  const mark = randomUUID()
  let cwd = START
  let running: AbortController | undefined
  lines.on('SIGINT', () => {
    if (running === undefined) stdout.write('\n(exit or Ctrl-D ends the shell)\n')
    running?.abort()
    if (running === undefined) prompt()
  })
  let isClosed = false
  lines.once('close', () => {
    isClosed = true
  })
  const prompt = () => {
    // It would have the terminal read again, and this process never end.
    if (isClosed) return
    lines.setPrompt(`${vm.machine}:${cwd}# `)
    if (stdin.isTTY) lines.prompt()
  }
  let isOver = false
  void ends.then(() => {
    isOver = true
    running?.abort()
    lines.close()
  })
  prompt()
  for await (const line of lines) {
    if (isOver || /^\s*(exit|logout)\s*$/.test(line)) break
    running = new AbortController()
    if (line.trim() !== '')
      cwd = (await runLine(vm, { line, cwd, mark }, running.signal, command)) ?? cwd
    running = undefined
    prompt()
  }
  lines.close()
  return isOver ? await ends : 'left'
}

/** @returns the directory afterwards, if it is known */
async function runLine(
  vm: Vm,
  { line, cwd, mark }: { line: string; cwd: string; mark: string },
  signal: AbortSignal,
  { terminal }: Context,
): Promise<string | undefined> {
  try {
    const args = ['-c', SCRIPT, 'sh', cwd, line, mark]
    const result = await vm.exec('/bin/sh', args, { signal, reject: false })
    const { stdout, stderr, exitCode } = result
    const end = stdout.lastIndexOf(`\n${mark} `)
    const output = end === -1 ? stdout : stdout.slice(0, end)
    if (output !== '') process.stdout.write(output.endsWith('\n') ? output : `${output}\n`)
    if (stderr !== '') terminal.stream.write(`${stderr}\n`)
    if (exitCode !== 0) terminal.stream.write(`[exit code ${exitCode ?? result.signal}]\n`)
    return end === -1 ? undefined : stdout.slice(end + mark.length + 2)
  } catch (error) {
    if (!isVmStatesError(error)) throw error
    const text = isVmStatesError(error, 'ABORTED') ? '[killed]' : failureText(error, false, false)
    terminal.stream.write(`${text}\n`)
    return undefined
  }
}
