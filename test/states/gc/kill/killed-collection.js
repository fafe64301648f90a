// Collects all garbage of a store, and kills itself with SIGKILL right before its nth change to a name.
// node killed-collection.js DIST STORE STEP
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'

const [dist, root, lastStep] = process.argv.slice(2)
const { openStore } = await import(join(dist, 'store/store.js'))
const { collectGarbage } = await import(join(dist, 'states/gc/collect-garbage.js'))

let step = 0
for (const verb of ['rename', 'rm', 'rmdir', 'unlink', 'symlink']) {
  const original = fs.promises[verb]
  fs.promises[verb] = (...args) => {
    step += 1
    if (step === Number(lastStep)) process.kill(process.pid, 'SIGKILL')
    return original(...args)
  }
}
syncBuiltinESMExports()

const store = await openStore(root)
await collectGarbage(store, { maxSize: 1, maxAge: 1e12 })
await store.close()
