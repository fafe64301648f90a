import type { Vm } from '../../guest/vm.js'
import type { Context, Report } from '../report.js'

/** The exit code of a shell for a command that a signal ended. */
const KILLED = 128

/**
 * Runs a shell command in a guest, and ends with its output and exit code: the output as it is, or as text for
 * `--json`.
 */
export async function execCommand(
  vm: Vm,
  command: string,
  json: boolean,
  { signal }: Context,
): Promise<Report> {
  const args = ['-c', command]
  const options = { signal, reject: false }
  if (json) {
    const { stdout, stderr, exitCode = KILLED } = await vm.exec('/bin/sh', args, options)
    return { data: { exitCode, stdout, stderr }, text: '', exitCode }
  }
  const result = await vm.exec('/bin/sh', args, { ...options, encoding: 'buffer' })
  process.stderr.write(result.stderr)
  process.stdout.write(result.stdout)
  const { exitCode = KILLED } = result
  return { data: { exitCode }, text: '', exitCode }
}
