import type { Vm } from '../../guest/vm.js'
import type { Context, Report } from '../report.js'

/** The exit code of a shell for a command that a signal ended. */
const KILLED = 128

/** Runs a shell command in a guest, and ends with its output and exit code. */
export async function execCommand(vm: Vm, command: string, context: Context): Promise<Report> {
  const { signal, terminal } = context
  const result = await vm.exec('/bin/sh', ['-c', command], { signal, reject: false })
  const { stdout, stderr, exitCode = KILLED } = result
  if (stderr !== '') terminal.stream.write(`${stderr}\n`)
  return { data: { exitCode, stdout, stderr }, text: stdout, exitCode }
}
