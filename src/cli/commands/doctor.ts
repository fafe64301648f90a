import { checkAcceleration } from '../doctor/acceleration.js'
import type { Finding } from '../doctor/finding.js'
import { requireLinux } from '../doctor/host.js'
import { checkMachineLimits } from '../doctor/machine-limits.js'
import {
  checkFirmware,
  checkQemu,
  checkSetpriv,
  checkTinyTools,
  checkTpm,
} from '../doctor/programs.js'
import { checkStorePlace } from '../doctor/store-place.js'
import { style } from '../output/style.js'
import type { Context, Report } from '../report.js'

const MARKS = {
  ok: ['good', 'ok     '],
  warning: ['warning', 'warning'],
  problem: ['bad', 'problem'],
} as const

/** `states doctor`: what this host has, and how to mend what it lacks. */
export async function doctor(
  { selfTest = false }: { selfTest?: boolean },
  context: Context,
): Promise<Report> {
  requireLinux()
  const { loadConfig } = await import('../../params/load-config.js')
  context.progress.step('looking at this host')
  const { store, qemu, limits } = await loadConfig()
  const findings: Finding[] = [
    ...(await checkQemu(qemu)),
    await checkAcceleration(),
    await checkSetpriv(),
    await checkTinyTools(),
    await checkFirmware(),
    await checkTpm(),
    await checkMachineLimits(limits, store),
    ...(await checkStorePlace(store)),
  ]
  const isHealthy = () => findings.every(({ status }) => status !== 'problem')
  if (selfTest && isHealthy()) {
    const module = await import('../doctor/self-test.js')
    findings.push(...(await module.selfTest({ store, qemu, limits }, context)))
  }
  const healthy = isHealthy()
  return {
    data: { healthy, findings },
    text: findings.map((finding) => show(finding, context.colors)).join('\n'),
    exitCode: healthy ? 0 : 1,
  }
}

function show({ name, status, found, mend }: Finding, colors: boolean): string {
  const [role, mark] = MARKS[status]
  const line = `${style(role, mark, colors)}  ${name.padEnd(18)}  ${found}`
  return mend === undefined ? line : `${line}\n${' '.repeat(29)}${mend}`
}
