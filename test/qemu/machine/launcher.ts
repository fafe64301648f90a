import { launch } from '../../../src/qemu/machine/launch.js'

const machine = await launch(JSON.parse(process.argv[2] ?? ''))
process.stdout.write(`${machine.pid}\n`)
