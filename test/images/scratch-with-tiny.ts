import { afterEach, beforeEach } from 'vitest'
import { makeStoreWithTiny } from '../support/store-with-tiny.js'
import { makeScratch, type Scratch } from './scratch.js'

/**
 * Gives each test of a file a directory with a store that has the built-in guest.
 *
 * @returns the directory of the test that runs
 */
export function useScratchWithTiny(): () => Scratch {
  let scratch: Scratch
  beforeEach(async () => {
    scratch = await makeScratch()
    await makeStoreWithTiny(scratch.store.root)
  }, 900_000)
  afterEach(() => scratch[Symbol.asyncDispose]())
  return () => scratch
}
