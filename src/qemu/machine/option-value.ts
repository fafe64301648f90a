/** A value inside a QEMU option list such as `file,path=…`, where a comma is written twice. */
export function optionValue(value: string): string {
  return value.replaceAll(',', ',,')
}
