import { Group, MultiSelect, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { securityGroupsQuery } from '../../api/lists.ts'
import { networksQuery } from '../../api/nouns.ts'
import { choicesOf } from '../networks/named.ts'
import type { FieldsProps } from './launch.tsx'
import { PublishFields } from './publish-fields.tsx'
import { Rows } from './rows.tsx'
import { Section } from './section.tsx'

/** Networks, security groups, open and published ports. */
export function NetworkFields({ draft, problems, onChange }: FieldsProps) {
  const networks = (useQuery(networksQuery).data ?? []).filter(({ external }) => !external)
  const groups = useQuery(securityGroupsQuery).data
  return (
    <Section title="Network">
      <Rows
        rows={draft.nets}
        fresh={{ network: networks[0]?.id ?? '', address: '' }}
        add="Choose a network"
        remove="Remove the network"
        none="The project's own network, which is made if there is none."
        problem={problems.nets}
        onChange={(nets) => onChange({ nets })}
        row={(net, change) => (
          <Group grow gap="xs">
            <NativeSelect
              aria-label="Network"
              value={net.network}
              onChange={(event) => change({ ...net, network: event.currentTarget.value })}
              data={choicesOf(networks)}
            />
            <TextInput
              aria-label="Address"
              placeholder="any address"
              value={net.address}
              onChange={(event) => change({ ...net, address: event.currentTarget.value.trim() })}
            />
          </Group>
        )}
      />
      <MultiSelect
        label="Security groups"
        description="Left empty: default, whose members reach each other"
        data={choicesOf(groups)}
        value={[...draft.groups]}
        onChange={(chosen) => onChange({ groups: chosen })}
        error={problems.groups}
        searchable
        clearable
      />
      <TextInput
        label="Open ports"
        description="Everybody who reaches its network may use them: 80, 443/tcp, 53/udp"
        value={draft.ports}
        onChange={(event) => onChange({ ports: event.currentTarget.value })}
        error={problems.ports}
        autoComplete="off"
      />
      <PublishFields draft={draft} problems={problems} onChange={onChange} />
    </Section>
  )
}
