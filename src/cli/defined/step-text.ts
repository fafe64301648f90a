import type { BuildEvent } from '../../states/graph/progress.js'

const STEPS = {
  wait: 'waiting',
  image: 'preparing the image',
  start: 'starting the machine',
  boot: 'booting',
  setup: 'running the setup',
  capture: 'keeping the state',
} as const

/** What a build does, in words; undefined for what is not told while it goes on. */
export function stepText(event: BuildEvent): string | undefined {
  if (event.kind === 'memory') return `waiting for ${event.detail}`
  if (event.kind !== 'step') return undefined
  const { step, detail, lastTook } = event
  const what = detail === undefined ? STEPS[step] : `${STEPS[step]}: ${detail}`
  return lastTook === undefined ? what : `${what} (${lastTook.toFixed(1)} s in all last time)`
}
