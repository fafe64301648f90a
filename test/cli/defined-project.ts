import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { makeStoreWithTiny } from '../support/store-with-tiny.js'
import type { useWorkplace } from './states-command.js'

/** Writes a file of a workplace, with the directories above it. */
export async function writeIn(
  place: ReturnType<typeof useWorkplace>,
  name: string,
  text: string,
): Promise<void> {
  await mkdir(dirname(place.path(name)), { recursive: true })
  await writeFile(place.path(name), text)
}

/** Makes a project of a workplace: a configuration, a file of states, and a store with the tiny guest. */
export async function makeProject(
  place: ReturnType<typeof useWorkplace>,
  states: string,
): Promise<void> {
  await mkdir(place.path('node_modules'))
  await symlink(resolve(import.meta.dirname, '../..'), place.path('node_modules/vitest-vm-states'))
  await writeIn(place, 'package.json', '{ "type": "module" }')
  const config = "export default { states: './vm/states.ts', store: './store' }"
  await writeIn(place, 'states.config.ts', config)
  await writeIn(place, 'vm/states.ts', states)
  await makeStoreWithTiny(place.path('store'))
}
