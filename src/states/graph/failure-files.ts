import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { saveScreen } from '../../qemu/machine/save-screen.js'
import type { Store } from '../../store/store.js'
import type { BuildLog } from './build-log.js'

/** What is kept of a build that failed. */
export interface FailureFiles {
  /** The whole log. */
  log: string
  /** A picture for each machine that has a display. */
  screens: readonly string[]
}

/**
 * Keeps the log of a build that failed, and beside it what its machines' displays show, in place of
 * those of the state's last failure.
 *
 * @param name - the state as people call it
 * @param machines - those that were started; they may have ended
 */
export async function keepFailure(
  store: Store,
  name: string,
  log: BuildLog,
  machines: readonly MachineProcess[],
): Promise<FailureFiles> {
  const place = placeOf(store, name)
  await mkdir(dirname(place), { recursive: true, mode: 0o700 })
  await removeScreens(place)
  const pictures = machines.map(async (machine) => {
    const path = machines.length > 1 ? `${place}@${machine.options.name}.png` : `${place}.png`
    return (await saveScreen(machine, path)) ? [path] : []
  })
  const screens = (await Promise.all(pictures)).flat()
  for (const screen of screens) log.add(`picture of the last screen: ${screen}`)
  await log.writeTo(`${place}.log`)
  return { log: `${place}.log`, screens }
}

/** Removes what was kept of the last failure of a state, which now is built. Never rejects. */
export async function forgetFailure(store: Store, name: string): Promise<void> {
  const place = placeOf(store, name)
  await removeScreens(place)
  await rm(`${place}.log`, { force: true }).catch(() => {})
}

/** Names hold neither `+` nor `@`: no two states share a place. */
function placeOf(store: Store, name: string): string {
  return join(store.root, 'logs', name.replaceAll(' ', '+'))
}

async function removeScreens(place: string): Promise<void> {
  const names = await readdir(dirname(place)).catch(() => [])
  const own = basename(place)
  for (const name of names) {
    if (name !== `${own}.png` && !(name.startsWith(`${own}@`) && name.endsWith('.png'))) continue
    await rm(join(dirname(place), name), { force: true }).catch(() => {})
  }
}
