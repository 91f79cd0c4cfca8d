import { Checkbox, Group, NativeSelect, NumberInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { volumesQuery } from '../../api/nouns.ts'
import type { MountDraft } from './draft.ts'
import type { FieldsProps } from './launch.tsx'
import { Rows } from './rows.tsx'
import { Section } from './section.tsx'

/** Volumes, those that are there and new ones. */
export function StorageFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <Section title="Storage">
      <Rows
        rows={draft.mounts}
        fresh={{ volume: '', size: '1', destination: '', readOnly: false }}
        add="Mount a volume"
        remove="Remove the volume"
        none="What it writes is lost with it. A volume keeps it."
        problem={problems.mounts}
        onChange={(mounts) => onChange({ mounts })}
        row={(mount, change) => <Mount mount={mount} onChange={change} />}
      />
    </Section>
  )
}

interface MountProps {
  readonly mount: MountDraft
  readonly onChange: (mount: MountDraft) => void
}

function Mount({ mount, onChange }: MountProps) {
  const volumes = useQuery(volumesQuery).data ?? []
  const free = volumes.filter(
    ({ status, multiattach, shared }) => status === 'available' || (status === 'in-use' && (multiattach || shared)),
  )
  return (
    <Group gap="xs" align="center">
      <NativeSelect
        aria-label="Volume"
        value={mount.volume}
        onChange={(event) => onChange({ ...mount, volume: event.currentTarget.value })}
        data={[
          { value: '', label: 'a new one that goes with it' },
          ...free.map(({ id, name, size }) => ({
            value: id,
            label: `${name === '' ? id.slice(0, 8) : name} (${size} GiB)`,
          })),
        ]}
      />
      {mount.volume === '' && (
        <NumberInput
          aria-label="Size of the new volume, GiB"
          suffix=" GiB"
          value={mount.size}
          onChange={(size) => onChange({ ...mount, size: String(size) })}
          min={1}
          allowDecimal={false}
          w={96}
        />
      )}
      <TextInput
        aria-label="Where it is mounted"
        placeholder="/data"
        value={mount.destination}
        onChange={(event) => onChange({ ...mount, destination: event.currentTarget.value.trim() })}
        flex={1}
        miw={120}
      />
      <Checkbox
        label="read only"
        checked={mount.readOnly}
        onChange={(event) => onChange({ ...mount, readOnly: event.currentTarget.checked })}
      />
    </Group>
  )
}
