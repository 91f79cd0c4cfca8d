import { Group, NativeSelect, TextInput } from '@mantine/core'
import type { PublishDraft } from './draft.ts'
import type { FieldsProps } from './launch.tsx'
import { Rows } from './rows.tsx'

const fresh: PublishDraft = { publicPort: '', containerPort: '', protocol: 'tcp' }

/** Ports that are reached from outside the cloud. */
export function PublishFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <Rows
      rows={draft.publish}
      fresh={fresh}
      add="Publish a port"
      remove="Remove the published port"
      none="Nobody outside the cloud reaches it. A published port leads there from the project's public address."
      problem={problems.publish}
      onChange={(publish) => onChange({ publish })}
      row={(port, change) => <Port port={port} onChange={change} />}
    />
  )
}

interface PortProps {
  readonly port: PublishDraft
  readonly onChange: (port: PublishDraft) => void
}

function Port({ port, onChange }: PortProps) {
  return (
    <Group grow gap="xs" preventGrowOverflow={false}>
      <TextInput
        aria-label="Public port"
        placeholder="any public port"
        inputMode="numeric"
        value={port.publicPort}
        onChange={(event) => onChange({ ...port, publicPort: event.currentTarget.value.trim() })}
      />
      <TextInput
        aria-label="Port of the container"
        placeholder="leads to, as 80"
        inputMode="numeric"
        value={port.containerPort}
        onChange={(event) => onChange({ ...port, containerPort: event.currentTarget.value.trim() })}
      />
      <NativeSelect
        aria-label="Protocol"
        value={port.protocol}
        onChange={(event) => onChange({ ...port, protocol: event.currentTarget.value === 'udp' ? 'udp' : 'tcp' })}
        data={['tcp', 'udp']}
      />
    </Group>
  )
}
