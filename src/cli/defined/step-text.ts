import type { BuildEvent } from '../../states/graph/progress.js'

const STEPS = {
  wait: 'waiting',
  image: 'preparing the image',
  start: 'starting the machine',
  setup: 'running the setup',
  capture: 'keeping the state',
} as const

/** What a build does, in words. */
export function stepText({
  step,
  detail,
  lastTook,
}: Extract<BuildEvent, { kind: 'step' }>): string {
  const what = detail === undefined ? STEPS[step] : `${STEPS[step]}: ${detail}`
  return lastTook === undefined ? what : `${what} (${lastTook.toFixed(1)} s in all last time)`
}
