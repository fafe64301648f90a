// Works on images, and kills itself with SIGKILL right before its nth step: a change to a file's
// name, or a process that it starts.
// node killed-child.js SOURCES BACKEND OPERATION TAG STEP IMAGE…
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [sources, name, operation, tag, lastStep, ...files] = process.argv.slice(2)
let step = 0
function patch(module, verb) {
  const original = module[verb]
  module[verb] = (...args) => {
    step += 1
    if (step === Number(lastStep)) process.kill(process.pid, 'SIGKILL')
    return original(...args)
  }
}
for (const verb of ['link', 'rename', 'unlink', 'rm']) patch(fs.promises, verb)
patch(childProcess, 'spawn')
syncBuiltinESMExports()

const file = join(sources, `src/backends/${name}/${name}-backend.js`)
const backend = (await import(pathToFileURL(file).href))[`${name}Backend`]
const disks = files.map((file, index) => ({ name: `disk${index}`, file, format: 'qcow2' }))
await backend[operation]({ disks }, tag)
