import { Group, Input, NativeSelect, TextInput } from '@mantine/core'
import type { PublishDraft } from './draft.ts'
import type { FieldsProps } from './launch.tsx'
import { Rows } from './rows.tsx'

const fresh: PublishDraft = { publicPort: '', containerPort: '', protocol: 'tcp' }

/** Ports that are reached from outside the cloud. */
export function PublishFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <div role="group" aria-label="Published ports">
      <Input.Label component="div">Published ports</Input.Label>
      <Input.Description mb={5}>
        From the project's public address: a port of it, or any that is free, → a port of the container
      </Input.Description>
      <Rows
        rows={draft.publish}
        fresh={fresh}
        add="Publish a port"
        remove="Remove the published port"
        problem={problems.publish}
        onChange={(publish) => onChange({ publish })}
        row={(port, change) => <Port port={port} onChange={change} />}
      />
    </div>
  )
}

interface PortProps {
  readonly port: PublishDraft
  readonly onChange: (port: PublishDraft) => void
}

function Port({ port, onChange }: PortProps) {
  return (
    <Group gap="xs" wrap="nowrap">
      <TextInput
        aria-label="Public port"
        placeholder="any"
        inputMode="numeric"
        value={port.publicPort}
        onChange={(event) => onChange({ ...port, publicPort: event.currentTarget.value.trim() })}
        flex={1}
        miw={0}
      />
      <span aria-hidden>→</span>
      <TextInput
        aria-label="Port of the container"
        placeholder="80"
        inputMode="numeric"
        value={port.containerPort}
        onChange={(event) => onChange({ ...port, containerPort: event.currentTarget.value.trim() })}
        flex={1}
        miw={0}
      />
      <NativeSelect
        aria-label="Protocol"
        value={port.protocol}
        onChange={(event) => onChange({ ...port, protocol: event.currentTarget.value === 'udp' ? 'udp' : 'tcp' })}
        data={['tcp', 'udp']}
        w={80}
      />
    </Group>
  )
}
