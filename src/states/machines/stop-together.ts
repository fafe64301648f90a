import type { MachineProcess } from '../../qemu/machine/machine-process.js'

/**
 * Stops the CPUs of machines at one moment: everyone is told before anyone has answered.
 *
 * @returns the skew: milliseconds from the first stop to the last, by QEMU's own clock
 * @throws VmStatesError `QMP_COMMAND_FAILED`, `QMP_CONNECTION_LOST`
 */
export async function stopTogether(processes: readonly MachineProcess[]): Promise<number> {
  const times = processes.map(stopTime)
  await Promise.allSettled(times)
  const stopped = (await Promise.all(times)).filter((time) => time !== undefined)
  return stopped.length === 0 ? 0 : Math.max(...stopped) - Math.min(...stopped)
}

/** @returns undefined for a machine whose CPUs stood still already */
async function stopTime({ qmp }: MachineProcess): Promise<number | undefined> {
  let stoppedAt: number | undefined
  const off = qmp.on('STOP', ({ time }) => {
    stoppedAt = time
  })
  try {
    await qmp.execute('stop')
    return stoppedAt
  } finally {
    off()
  }
}
