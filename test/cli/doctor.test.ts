import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { checkAcceleration } from '../../src/cli/doctor/acceleration.js'
import type { Finding } from '../../src/cli/doctor/finding.js'
import { requireLinux } from '../../src/cli/doctor/host.js'
import { makeProject } from './defined-project.js'
import { json, useWorkplace } from './states-command.js'

const place = useWorkplace()

async function findings(env: Record<string, string> = {}) {
  const result = await place.states(['doctor', '--json'], { env })
  const { healthy, findings } = json(result) as { healthy: boolean; findings: Finding[] }
  const find = (name: string) => findings.find((finding) => finding.name === name)
  return { exitCode: result.exitCode, healthy, find, names: findings.map(({ name }) => name) }
}

describe('states doctor', () => {
  test('finds what this host has, and changes nothing', async () => {
    const { exitCode, healthy, find, names } = await findings()
    expect({ exitCode, healthy }).toEqual({ exitCode: 0, healthy: true })
    expect(names).toEqual([
      'qemu-system-x86_64',
      'qemu-img',
      'acceleration',
      'setpriv',
      'tiny guest',
      'UEFI firmware',
      'TPM (swtpm)',
      'memory',
      'store',
      'disk space',
      'filesystem',
      'reflinks',
    ])
    expect(find('qemu-img')).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(/^\d+\.\d+\.\d+ \(\/.*qemu-img\)$/),
    })
    expect(find('UEFI firmware')).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(/^\/.*CODE.*\.fd$/),
    })
    expect(find('disk space')?.found).toMatch(/ free$/)
    expect(find('filesystem')?.found).toMatch(/^\S+ \(mounted at \/.*\)$/)
    expect(await readdir(place.path('.'))).toEqual([])
  })

  test('tells people how to mend what is missing, and ends with 1', async () => {
    await mkdir(place.path('bin'))
    const { exitCode, stdout } = await place.states(['doctor'], {
      env: { PATH: place.path('bin') },
    })
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(
      /^problem {2}qemu-system-x86_64 +not installed\n +Install it \(.*apt-get install qemu-system-x86\)\.$/m,
    )
    expect(stdout).toMatch(/^problem {2}qemu-img +not installed$/m)
    expect(stdout).toMatch(/^warning {2}TPM \(swtpm\) +not installed.*\n +Install it \(.*swtpm\)/m)
    expect(stdout).toMatch(/^warning {2}setpriv +not installed/m)
    expect(stdout).toMatch(/^warning {2}tiny guest +cannot be built here without apt-get/m)
  })

  test('finds a QEMU that does not run, and one that is too old', async () => {
    await mkdir(place.path('bin'))
    const write = async (name: string, script: string) => {
      await writeFile(place.path(`bin/${name}`), `#!/bin/sh\n${script}\n`)
      await chmod(place.path(`bin/${name}`), 0o755)
    }
    await write('qemu-img', 'exit 1')
    await write('qemu-system-x86_64', 'echo "QEMU emulator version 4.2.1 (Debian)"')
    const { exitCode, find } = await findings({ PATH: place.path('bin') })
    expect(exitCode).toBe(1)
    expect(find('qemu-img')?.found).toContain('does not run')
    expect(find('qemu-system-x86_64')).toMatchObject({
      status: 'problem',
      found: `4.2.1 (${place.path('bin/qemu-system-x86_64')})`,
      mend: 'QEMU 7.2 or newer is needed.',
    })
  })

  test('finds a store that cannot be one', async () => {
    await writeFile(place.path('file'), '')
    const { exitCode, find } = await findings({ VM_STATES_STORE: place.path('file/store') })
    expect(exitCode).toBe(1)
    expect(find('store')).toMatchObject({
      status: 'problem',
      found: `nothing can be written in ${place.path('file')} (ENOTDIR)`,
    })
  })

  test('looks at the filesystem behind a symbolic link', async () => {
    await symlink('/proc', place.path('link'))
    const { find } = await findings({ VM_STATES_STORE: place.path('link') })
    expect(find('filesystem')?.found).toBe('proc (mounted at /proc)')
  })

  test('says in a clear word that other systems cannot run machines', () => {
    expect(() => requireLinux('darwin')).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_HOST',
        message: expect.stringContaining('darwin cannot run machines: this needs Linux'),
      }),
    )
    expect(() => requireLinux('linux')).not.toThrow()
  })
})

describe('states doctor --self-test', () => {
  test('boots, saves and restores a guest, and leaves no state behind', async () => {
    await makeProject(
      place,
      `import { image, machine } from 'vitest-vm-states/states'
      export const one = machine('tiny', { image: image.tiny() }).state('one', () => {})`,
    )
    const { exitCode, stdout } = await place.states(['doctor', '--self-test'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ok +boot and save +a tiny guest was booted and saved \(\d+\.\d s\)$/m)
    expect(stdout).toMatch(/^ok +restore +it was restored, changed, and restored without/m)
    const { states } = json(await place.states(['list', '--json'])) as { states: object[] }
    expect(states).toMatchObject([
      { name: 'tiny/root', status: 'image' },
      { name: 'tiny/one', status: 'not built' },
    ])
  })
})

describe('the acceleration', () => {
  beforeEach(() => {
    vi.stubEnv('VM_STATES_ACCEL', '')
    return () => vi.unstubAllEnvs()
  })

  test.each([
    ['tcg', { status: 'ok', found: 'TCG, since VM_STATES_ACCEL says so' }],
    ['xen', { status: 'problem', found: 'VM_STATES_ACCEL is "xen"' }],
  ])('is what VM_STATES_ACCEL=%s says', async (value, finding) => {
    vi.stubEnv('VM_STATES_ACCEL', value)
    expect(await checkAcceleration()).toMatchObject(finding)
  })

  test('without the device is none, and how to get it', async () => {
    expect(await checkAcceleration(place.path('kvm'))).toMatchObject({
      status: 'warning',
      found: expect.stringContaining(`this host has no ${place.path('kvm')}`),
      mend: expect.stringContaining('kvm_intel'),
    })
  })
})
