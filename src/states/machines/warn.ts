const said = new Set<string>()

/** Tells people of something that is not as it should be, the same once in a process. */
export function warn(text: string): void {
  if (said.has(text)) return
  said.add(text)
  process.emitWarning(text, { type: 'VmStatesWarning' })
}
