import { readdirSync, readFileSync } from 'node:fs'

const read = (pid, file) => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

function lives(pid) {
  const state = /\) (\S)/.exec(read(pid, 'stat'))?.[1]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/**
 * Processes that were started with a variable of the environment, and thus by whoever set it; those
 * that have just been forked to become one of them included.
 *
 * @param {string} variable - `NAME=value`
 */
export function processesWith(variable) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && lives(name))
    .filter((pid) => read(pid, 'environ').split('\0').includes(variable))
    .map((pid) => ({
      pid: Number(pid),
      parent: Number(/\) \S (\d+)/.exec(read(pid, 'stat'))?.[1]),
      command: read(pid, 'cmdline').replaceAll('\0', ' ').trim(),
    }))
}

export const isQemu = ({ command }) => /^\S*qemu-system-\S+ /.test(command)

export const isWorker = ({ command }) =>
  /vitest\S*\/workers\/forks\.js|^node \(vitest/.test(command)

/** Waits until there are no such processes; gives those that are left when time is over. */
export async function untilGone(find, milliseconds) {
  const end = performance.now() + milliseconds
  for (;;) {
    const left = find()
    if (left.length === 0 || performance.now() > end) return left
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
