import { VmStatesError } from '../../params/errors.js'

const BINARY = 'qemu-system-x86_64'
const TIMEOUT = 60_000

/**
 * Deletes one internal snapshot of a qcow2 image that nothing runs on, whatever others have the same
 * tag. `qemu-img snapshot -d` cannot, so a QEMU without a machine does it.
 *
 * @param file - absolute path
 * @param snapshot - its ID and its exact tag, as `qemu-img info` says it
 * @throws VmStatesError `QEMU_MISSING`, `QMP_COMMAND_FAILED`
 */
export async function deleteSnapshotById(
  file: string,
  snapshot: { id: string; name: string },
): Promise<void> {
  const { execa } = await import('execa')
  const node = {
    driver: 'qcow2',
    'node-name': 'image',
    backing: null,
    file: { driver: 'file', filename: file },
  }
  const commands = [
    { execute: 'qmp_capabilities' },
    {
      execute: 'blockdev-snapshot-delete-internal-sync',
      arguments: { device: 'image', ...snapshot },
    },
    { execute: 'quit' },
  ]
  const bare = ['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none']
  const args = [...bare, '-qmp', 'stdio', '-blockdev', JSON.stringify(node)]
  const result = await execa(BINARY, args, {
    reject: false,
    input: commands.map((command) => `${JSON.stringify(command)}\n`).join(''),
    timeout: TIMEOUT,
  })
  if (result.code === 'ENOENT') {
    throw new VmStatesError('QEMU_MISSING', `${BINARY} is not installed, or not in PATH`)
  }
  const problem = /"error": (?<error>\{.*\})/.exec(result.stdout)?.groups?.error
  if (!result.failed && problem === undefined) return
  const what = `cannot delete snapshot ${snapshot.id} of ${file}`
  throw new VmStatesError('QMP_COMMAND_FAILED', `${what}: ${problem ?? result.stderr.trim()}`, {
    cause: result,
  })
}
