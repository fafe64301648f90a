import { Linker } from './links.js'
import { Sources } from './sources.js'

let current: Linker | undefined

/**
 * What looks at source files as they are now. It holds for one turn of the event loop, so that a
 * thousand keys look at a file once.
 */
export async function currentLinker(): Promise<Linker> {
  const { parseSync } = await import('oxc-parser')
  if (current === undefined) {
    current = new Linker(new Sources(parseSync))
    setImmediate(() => {
      current = undefined
    })
  }
  return current
}
