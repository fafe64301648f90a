import { Linker } from './links.js'
import { Sources } from './sources.js'

let current: Linker | undefined
let parser: Promise<typeof import('oxc-parser')> | undefined

/**
 * What looks at source files as they are now. It holds for one turn of the event loop, so that a
 * thousand keys look at a file once.
 */
export async function currentLinker(): Promise<Linker> {
  // Asked of Node once: it looks the module up again each time, which takes longer than a key.
  parser ??= import('oxc-parser')
  const { parseSync } = await parser
  if (current === undefined) {
    current = new Linker(new Sources(parseSync))
    setImmediate(() => {
      current = undefined
    })
  }
  return current
}
