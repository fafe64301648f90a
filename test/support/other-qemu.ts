import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A QEMU that says that it is of version 9.9.9, and is none. @returns its path */
export async function otherQemu(directory: string): Promise<string> {
  const path = join(directory, 'qemu')
  await writeFile(
    path,
    `#!/bin/sh
case "$*" in --version) echo 'QEMU emulator version 9.9.9' ;; *) exec qemu-system-x86_64 "$@" ;; esac`,
  )
  await chmod(path, 0o755)
  return path
}
