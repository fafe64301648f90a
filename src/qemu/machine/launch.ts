import { constants } from 'node:fs'
import { access, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { abortedError, withDeadline } from '../deadline.js'
import { QmpClient } from '../qmp/client.js'
import { commandLine, consoleFile } from './command-line.js'
import { describeExit, type ExitStatus, HOST_DISK_FULL } from './exit-status.js'
import { fileTail } from './file-tail.js'
import { findQemu } from './find-binary.js'
import type { LaunchOptions } from './launch-options.js'
import { MachineProcess } from './machine-process.js'
import { processStartTime } from './proc-stat.js'
import { RunningTime } from './running-time.js'
import { SerialConsole } from './serial-console.js'
import { type SpawnedQemu, spawnQemu } from './spawn-qemu.js'

/** Milliseconds from spawn to QEMU's greeting. It takes 30; a crowded host takes longer. */
const LAUNCH_TIMEOUT = 30_000

const LOG_BYTES = 8192

/**
 * Starts a machine. QEMU ends with this process, even if that is killed.
 *
 * @returns once QEMU is there and, unless `paused`, its CPUs run; the guest is then at power-on
 * @throws VmStatesError `QEMU_MISSING`, `DISK_UNREADABLE`, `QEMU_EXITED` with the exit code, the
 *   command line and QEMU's own log, `TIMEOUT`, `ABORTED`; no process is left then
 */
export async function launch(options: LaunchOptions): Promise<MachineProcess> {
  const { name, timeout = LAUNCH_TIMEOUT, signal } = options
  if (signal?.aborted) throw abortedError(`the launch of ${name}`, signal)
  const binary = await findQemu(options.binary)
  await requireFiles(options)
  const logFile = join(options.directory, 'qemu.log')
  const files = { console: consoleFile(options), log: logFile }
  const qemu = await spawnQemu(binary, commandLine(options), files, options)
  try {
    const greeted = greet(options, qemu)
    return await withDeadline(greeted, `the launch of ${name}`, { timeout, signal })
  } catch (error) {
    const early = isVmStatesError(error, 'QMP_CONNECTION_LOST') ? await endedNow(qemu) : undefined
    killSession(qemu.pid)
    await qemu.ended
    qemu.qmp.destroy()
    qemu.agent.destroy()
    qemu.wake.destroy()
    qemu.keyboard.destroy()
    throw early === undefined ? error : await exitError(options, qemu, early, logFile, error)
  }
}

async function greet(options: LaunchOptions, qemu: SpawnedQemu): Promise<MachineProcess> {
  const startTime = processStartTime(qemu.pid) ?? ''
  await options.onSpawn?.(qemu.pid)
  const qmp = await QmpClient.open(qemu.qmp, { label: options.name })
  if (options.wrapper?.length) await requireQemu(options, qemu.pid)
  let shutdownReason: string | undefined
  let isDiskFull = false
  qmp.on('SHUTDOWN', ({ data }) => {
    shutdownReason = String(data.reason)
  })
  // By default, QEMU stops the CPUs where the host's disk is full, and says so to nobody else.
  qmp.on('BLOCK_IO_ERROR', ({ data }) => {
    if (data.nospace !== true || data.action !== 'stop') return
    isDiskFull = true
    qmp.execute('quit').catch(() => {})
  })
  const exited = Promise.all([qemu.ended, qmp.closed]).then(([status]): ExitStatus => {
    const reason = isDiskFull ? HOST_DISK_FULL : shutdownReason
    return reason === undefined ? status : { ...status, shutdownReason: reason }
  })
  const runningTime = new RunningTime(qmp)
  const serial = new SerialConsole(consoleFile(options), qemu.keyboard, qmp, runningTime)
  void exited.then(() => {
    runningTime.end()
    serial.close()
  })
  if (!options.paused) await qmp.execute('cont')
  return new MachineProcess({ ...qemu, options, startTime, qmp, runningTime, serial, exited })
}

/** Also what a wrapper has started. */
function killSession(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

/** RAM is looked at, and QEMU ended, by its pid. */
async function requireQemu(
  { name, binary, wrapper = [] }: LaunchOptions,
  pid: number,
): Promise<void> {
  const [running, qemu] = await Promise.all([
    realpath(`/proc/${pid}/exe`).catch(() => ''),
    findQemu(binary).then((path) => realpath(path)),
  ])
  if (running === qemu) return
  throw new VmStatesError(
    'WRAPPER_STAYS',
    `the wrapper of ${name}, ${wrapper.join(' ')}, runs QEMU as a process of its own`,
    {
      hint: 'A wrapper has to become QEMU by exec: strace does with -D, a shell script with exec.',
    },
  )
}

/** QEMU closes its monitor a moment before the process has ended. */
async function endedNow({ ended }: SpawnedQemu): Promise<ExitStatus | undefined> {
  return withDeadline(ended, 'QEMU', { timeout: 1000 }).catch(() => undefined)
}

async function requireFiles(options: LaunchOptions): Promise<void> {
  const { disks, directKernel, firmware, ram, incoming, extraFds = [] } = options
  const { R_OK, W_OK } = constants
  const needed: [path: string | undefined, mode: number][] = [
    ...disks.map(({ file, readOnly }) => [file, readOnly ? R_OK : R_OK | W_OK] as [string, number]),
    [ram?.path, R_OK | W_OK],
    ...extraFds.map((path) => [path, R_OK | W_OK] as [string, number]),
    [incoming, R_OK],
    [firmware, R_OK],
    [directKernel?.kernel, R_OK],
    [directKernel?.initrd, R_OK],
  ]
  for (const [path, mode] of needed) {
    if (path === undefined) continue
    await access(path, mode).catch((cause: NodeJS.ErrnoException) => {
      throw new VmStatesError('DISK_UNREADABLE', `${path} cannot be opened: ${cause.code}`, {
        cause,
      })
    })
  }
}

async function exitError(
  { name, directory }: LaunchOptions,
  { commandLine }: SpawnedQemu,
  status: ExitStatus,
  logFile: string,
  cause: unknown,
): Promise<VmStatesError> {
  const log = (await fileTail(logFile, LOG_BYTES)).trim()
  const said = log.split('\n').at(-1) ?? ''
  return new VmStatesError(
    'QEMU_EXITED',
    `QEMU of ${name} ended at its start (${describeExit(status)}): ${said}`,
    { hint: `In ${directory}: ${commandLine.join(' ')}\n${log}`, cause },
  )
}
