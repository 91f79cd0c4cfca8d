import { constants } from 'node:os'

/**
 * Whether a process never learns of the signal, so that to wait for it is in vain: the kernel tells the first process of a container
 * only what it asks to hear (pid_namespaces(7)), and a plain `sleep` or shell asks for nothing. `status` is its /proc/PID/status. Pure.
 */
export function isDeafTo(name: string, status: string): boolean {
  const number = numberOf(name)
  const isFirst = /^NSpid:.*\s1$/m.test(status)
  if (number === undefined || !isFirst) return false
  const bit = 1n << BigInt(number - 1)
  // One that blocks it may take it from a file descriptor, as systemd does.
  return (mask(status, 'SigCgt') & bit) === 0n && (mask(status, 'SigBlk') & bit) === 0n
}

function numberOf(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name) || undefined
  const full = name.startsWith('SIG') ? name : `SIG${name}`
  return constants.signals[full as NodeJS.Signals]
}

function mask(status: string, field: string): bigint {
  const hex = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1]
  // Not told: as if it heard everything.
  return hex === undefined ? -1n : BigInt(`0x${hex}`)
}
