import type { CloudInit } from '../../params/cloud-init.js'
import type { ParsedMachineOptions } from '../../params/machine.js'

/** Has root let in who has the key `$1`; it runs at each boot, and adds it once. */
const LET_ROOT_IN = `
umask 077
mkdir -p /root/.ssh
grep -qsF "$1" /root/.ssh/authorized_keys || echo "$1" >>/root/.ssh/authorized_keys
`

/**
 * What is done to an image before and at its first boot: with the store's key for whom this package logs in as,
 * where the machine is talked to over ssh. A whole file of user data, and a user whom no option names, are left
 * to who has written the definition.
 *
 * @param publicKey - asked only where it is put in
 */
export async function withSshKey(
  { guest, sshUser, cloudInit, firstBoot }: ParsedMachineOptions,
  publicKey: () => Promise<string>,
): Promise<Pick<ParsedMachineOptions, 'cloudInit' | 'firstBoot'>> {
  if (guest !== 'ssh' || (cloudInit ?? firstBoot) === undefined) return { cloudInit, firstBoot }
  const key = await publicKey()
  const isRoot = sshUser === 'root'
  return {
    cloudInit: cloudInit && letIn(cloudInit, sshUser, key),
    firstBoot: firstBoot && {
      ...firstBoot,
      sshKeys: isRoot ? [...firstBoot.sshKeys, key] : firstBoot.sshKeys,
    },
  }
}

function letIn(cloudInit: CloudInit, sshUser: string, key: string): CloudInit {
  const { users, sshKeys, userData = {} } = cloudInit
  if (typeof userData === 'string') return cloudInit
  if (users.some(({ name }) => name === sshUser)) {
    const withKey = users.map((user) =>
      user.name === sshUser ? { ...user, sshKeys: [...user.sshKeys, key] } : user,
    )
    return { ...cloudInit, users: withKey }
  }
  if (sshUser !== 'root') return { ...cloudInit, sshKeys: [...sshKeys, key] }
  const { bootcmd = [] } = userData
  const commands = [['sh', '-c', LET_ROOT_IN, 'sh', key], ...[bootcmd].flat()]
  return { ...cloudInit, userData: { ...userData, bootcmd: commands } }
}
