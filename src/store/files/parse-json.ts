/** The fields of a JSON object; none if the text is something else, or only a part of one. */
export function parseFields(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return {}
  }
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
