import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

const children = new Set<ChildProcess>()
const emergencies = new Set<() => void>()

/** Starts a process that ends with the benchmark at the latest. */
export function startChild(
  file: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const child = spawn(file, args, options)
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Waits for the end of a process, and takes anything but success for an error. */
export async function succeeded(child: ChildProcess, what: string): Promise<void> {
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`${what}: ${signal ?? `exit code ${code}`}\n${said}`)
}

/** Has something else done as well where a signal ends the benchmark; it must not wait for anything. */
export function inEmergency(step: () => void): void {
  emergencies.add(step)
}

/** Kills, at once, whatever still runs. */
export function killChildren(): void {
  for (const step of emergencies) step()
  for (const child of children) child.kill('SIGKILL')
}
