import { createHash } from 'node:crypto'
import { type CloudInit, INSTANCE_PREFIX } from '../../params/cloud-init.js'

/** The files of a seed by their names, as cloud-init's data source NoCloud reads them. */
export type SeedFiles = Readonly<Record<string, string>>

/**
 * What a seed holds. The instance's id is a digest of the rest: cloud-init does its work once for a
 * content, and not again in states that stand on it. YAML is written as JSON, which is a part of it.
 */
export function seedFiles(cloudInit: CloudInit): SeedFiles {
  const { hostname, network } = cloudInit
  const userData = userDataOf(cloudInit)
  const networkConfig = network && json({ version: 2, ...network })
  const content = JSON.stringify([hostname, userData, networkConfig])
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 32)
  return {
    'meta-data': json({
      'instance-id': `${INSTANCE_PREFIX}${digest}`,
      ...(hostname !== undefined && { 'local-hostname': hostname }),
    }),
    'user-data': userData,
    ...(networkConfig !== undefined && { 'network-config': networkConfig }),
  }
}

function userDataOf(cloudInit: CloudInit): string {
  const { userData = {}, hostname, users, sshKeys, packages, runcmd } = cloudInit
  if (typeof userData === 'string') return userData
  const config = {
    ...(hostname !== undefined && { hostname }),
    ...userOptions(cloudInit),
    ...(sshKeys.length > 0 && { ssh_authorized_keys: sshKeys }),
    ...(users.length > 0 && { users: [...defaultUser(cloudInit), ...users.map(userEntry)] }),
    ...(packages.length > 0 && { packages }),
    ...(runcmd.length > 0 && { runcmd }),
    ...userData,
  }
  return `#cloud-config\n${json(config)}`
}

/** What has to be allowed for the users: logging in by a password, and as root. */
function userOptions({ users }: CloudInit): object {
  return {
    ...(users.some(({ password }) => password !== undefined) && { ssh_pwauth: true }),
    ...(users.some(({ name }) => name === 'root') && { disable_root: false }),
  }
}

/** The image's own user is there besides others only if it is told something. */
function defaultUser({ sshKeys }: CloudInit): string[] {
  return sshKeys.length > 0 ? ['default'] : []
}

function userEntry(user: CloudInit['users'][number]): object {
  const { name, sshKeys, password, sudo, groups, shell } = user
  return {
    name,
    lock_passwd: password === undefined,
    ...(password !== undefined && { plain_text_passwd: password }),
    ...(sshKeys.length > 0 && { ssh_authorized_keys: sshKeys }),
    ...(sudo !== undefined && { sudo: sudo === true ? 'ALL=(ALL) NOPASSWD:ALL' : sudo }),
    ...(groups.length > 0 && { groups }),
    // cloud-init's own default is useradd's, which is a bare sh.
    shell: shell ?? '/bin/bash',
  }
}

/** What YAML does not take as it is, though JSON does: some control characters, ends of lines, marks of order. */
const ONLY_IN_JSON = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/** As YAML reads it, too. */
function json(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2).replaceAll(
    ONLY_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `${text}\n`
}
