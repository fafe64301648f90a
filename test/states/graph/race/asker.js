// node asker.js SOURCES STORE NAME…
//
// Says that it is ready, waits for a line, asks for states of a chain with two branches, and prints
// as JSON which it built and which objects it was given.
import { once } from 'node:events'
import { join } from 'node:path'

const [sources, store, ...names] = process.argv.slice(2)
const load = (path) => import(join(sources, 'src', path))
const { image } = await load('images/image.js')
const { machine } = await load('states/definitions/machine.js')
const { Context } = await load('states/graph/context.js')
const { ensure } = await load('states/graph/ensure.js')

// Live states, since a build of one on another boots nothing.
const tiny = machine('tiny', { image: image.tiny(), memory: '96 MiB' })
const third = tiny
  .live('first', () => {})
  .live('second', () => {})
  .live('third', () => {})
const states = {
  left: third.live('left-fourth', () => {}).live('left-fifth', () => {}),
  right: third.live('right-fourth', () => {}).live('right-fifth', () => {}),
}

const built = []
const onBuildEvent = ({ kind, state }) => kind === 'built' && built.push(state)
const context = await Context.open({ store, label: 'race', onBuildEvent })
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const objects = {}
const ask = async (name) => {
  const available = await ensure(states[name], context)
  objects[name] = available.objects
  await available.release()
}
await Promise.all(names.map(ask))
await context.close()
process.stdout.write(`${JSON.stringify({ built, objects })}\n`)
process.stdin.destroy()
