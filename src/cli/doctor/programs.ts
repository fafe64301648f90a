import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findFirmware } from '../../images/firmware/find-firmware.js'
import { isVmStatesError } from '../../params/errors.js'
import { findProgram, findSetpriv } from '../../qemu/machine/find-binary.js'
import type { Finding } from './finding.js'

const OLDEST = { major: 7, minor: 2 }

/**
 * The QEMU programs: whether they are there, run, and are new enough.
 *
 * @param qemu - the QEMU that the configuration names
 */
export async function checkQemu(qemu: string): Promise<Finding[]> {
  return Promise.all([
    checkVersion(qemu, 'qemu-system-x86'),
    checkVersion('qemu-img', 'qemu-utils'),
  ])
}

async function checkVersion(program: string, debian: string): Promise<Finding> {
  const mend = `Install it (Debian, Ubuntu: apt-get install ${debian}).`
  const path = await findProgram(program)
  if (path === undefined) return { name: program, status: 'problem', found: 'not installed', mend }
  const text = await promisify(execFile)(path, ['--version']).then(
    ({ stdout }) => stdout,
    (error: Error) => error.message,
  )
  const version = /version (?<version>(?<major>\d+)\.(?<minor>\d+)[\d.]*)/.exec(text)?.groups
  if (version === undefined) {
    return { name: program, status: 'problem', found: `${path} does not run: ${text.trim()}`, mend }
  }
  const found = `${version.version} (${path})`
  const [major, minor] = [Number(version.major), Number(version.minor)]
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) {
    return { name: program, status: 'ok', found }
  }
  const needed = `QEMU ${OLDEST.major}.${OLDEST.minor} or newer is needed.`
  return { name: program, status: 'problem', found, mend: needed }
}

/** The program that lets no QEMU outlive its parent. */
export async function checkSetpriv(): Promise<Finding> {
  const path = await findSetpriv()
  return path === undefined
    ? {
        name: 'setpriv',
        status: 'warning',
        found: 'not installed: after a kill -9, QEMUs live on until the next run',
        mend: 'Install util-linux.',
      }
    : { name: 'setpriv', status: 'ok', found: path }
}

/** What the built-in guest is made with. */
export async function checkTinyTools(): Promise<Finding> {
  const name = 'tiny guest'
  const tools = { 'apt-get': 'apt', 'apt-cache': 'apt', 'dpkg-deb': 'dpkg', mke2fs: 'e2fsprogs' }
  const missing: string[] = []
  for (const [tool, debian] of Object.entries(tools)) {
    const places = [tool, `/usr/sbin/${tool}`, `/sbin/${tool}`]
    const paths = await Promise.all(places.map(findProgram))
    if (paths.every((path) => path === undefined)) missing.push(`${tool} (package ${debian})`)
  }
  return missing.length === 0
    ? { name, status: 'ok', found: 'can be built here' }
    : {
        name,
        status: 'warning',
        found: `cannot be built here without ${missing.join(', ')}`,
        mend: 'Install them on Debian or Ubuntu; elsewhere use image.file or image.url.',
      }
}

/** What machines with `firmware: 'uefi'` start with. */
export async function checkFirmware(): Promise<Finding> {
  const name = 'UEFI firmware'
  try {
    const { code } = await findFirmware({ arch: 'x86_64', machineType: 'q35' })
    return { name, status: 'ok', found: code.file }
  } catch (error) {
    if (!isVmStatesError(error, 'FIRMWARE_MISSING')) throw error
    return {
      name,
      status: 'warning',
      found: "not installed: machines with firmware: 'uefi' cannot start",
      ...(error.hint !== undefined && { mend: error.hint }),
    }
  }
}

/** What a TPM of machines is. */
export async function checkTpm(): Promise<Finding> {
  const name = 'TPM (swtpm)'
  const path = await findProgram('swtpm')
  if (path !== undefined) return { name, status: 'ok', found: path }
  return {
    name,
    status: 'warning',
    found: 'not installed: machines with tpm: true cannot start',
    mend: 'Install it (Debian, Ubuntu, Fedora: package swtpm).',
  }
}
