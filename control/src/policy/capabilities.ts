import { type Check, invalid, stringsOf } from './field-rule.ts'

/** What engines give to every container, but for NET_RAW, with which one may speak in another's name on a network. */
const harmless: readonly string[] = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]

const others: readonly string[] = [
  'ALL',
  'AUDIT_CONTROL',
  'AUDIT_READ',
  'BLOCK_SUSPEND',
  'BPF',
  'CHECKPOINT_RESTORE',
  'DAC_READ_SEARCH',
  'IPC_LOCK',
  'IPC_OWNER',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'NET_ADMIN',
  'NET_BROADCAST',
  'NET_RAW',
  'PERFMON',
  'SYSLOG',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'WAKE_ALARM',
]

/** `cap_net_admin` is NET_ADMIN. Throws `request.invalid` for one that no kernel has. */
export function capabilityOf(field: string, text: string): string {
  const name = text.trim().toUpperCase().replace(/^CAP_/, '')
  if (harmless.includes(name) || others.includes(name)) return name
  throw invalid(`invalid ${field}: unknown capability: "CAP_${name.slice(0, 40)}"`)
}

export const capAddCheck: Check = (value) =>
  stringsOf('CapAdd', value).flatMap((text) => {
    const name = capabilityOf('CapAdd', text)
    if (harmless.includes(name)) return []
    const reason = 'it is a way out of the container'
    return [{ field: `CapAdd ${name}`, reason, lifts: ['CapAdd', `CapAdd:${name}`], part: text }]
  })

export const capDropCheck: Check = (value) => {
  for (const text of stringsOf('CapDrop', value)) capabilityOf('CapDrop', text)
  return []
}
