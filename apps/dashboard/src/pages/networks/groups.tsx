import { ActionIcon, Button, Group, NativeSelect, NumberInput, Stack, Text, TextInput, Title } from '@mantine/core'
import type { RuleView, SecurityGroupView } from '@gantry/facade-native/views'
import { IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { namesOf, post, remove, securityGroupsQuery } from '../../api/lists.ts'
import { FormDialog, numberOf, textOf, useAct } from '../../parts/dialogs.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Listing } from '../../parts/listing.tsx'
import { choicesOf, nameOf } from './named.ts'
import { ruleText } from './rule-text.ts'

const nouns = ['security-group']

export function SecurityGroupList() {
  const query = useQuery(securityGroupsQuery)
  const groupName = namesOf(query.data)
  const inwards = ({ rules }: SecurityGroupView) => rules.filter(({ direction }) => direction === 'ingress')
  return (
    <Listing
      noun="security-group"
      called="security group"
      query={query}
      columns={[
        { label: 'Name', value: nameOf },
        { label: 'Description', value: ({ description }) => description },
        {
          label: 'Lets in',
          value: (group) =>
            inwards(group)
              .map((rule) => ruleText(rule, groupName))
              .join('; '),
        },
      ]}
      nameOf={nameOf}
      factsOf={(group) => [
        ['Id', group.id],
        ['Description', group.description],
        ['Created', new Date(group.createdAt).toLocaleString()],
      ]}
      more={(group) => <Rules group={group} groupName={groupName} />}
      deeds={[
        { label: 'Add a rule', form: (group, close) => <AddRule group={group} onClose={close} /> },
        {
          label: 'Delete',
          isDangerous: true,
          question: () => 'No port may use it any more.',
          act: ({ id }) => remove(`/v1/security-groups/${id}`),
        },
      ]}
      create={{ label: 'Create security group', form: (close) => <CreateGroup onClose={close} /> }}
      about="A security group says what may reach the containers in it. Rules only let through; what none names is dropped."
    />
  )
}

interface RulesProps {
  readonly group: SecurityGroupView
  readonly groupName: (id: string) => string
}

function Rules({ group, groupName }: RulesProps) {
  const [isAdding, setAdding] = useState(false)
  const removing = useAct(
    nouns,
    () => undefined,
    ({ id }: RuleView) => remove(`/v1/security-groups/${group.id}/rules/${id}`),
  )
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        Rules
      </Title>
      {group.rules.length === 0 && <Text c="dimmed">None: nothing passes.</Text>}
      {group.rules.map((rule) => (
        <Group key={rule.id} justify="space-between" wrap="nowrap">
          <Text size="sm">
            {rule.direction === 'ingress' ? 'In: ' : 'Out: '}
            {ruleText(rule, groupName)}
          </Text>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove the rule ${ruleText(rule, groupName)}`}
            disabled={removing.isPending}
            onClick={() => removing.mutate(rule)}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {removing.error && <Failure error={removing.error} what="The rule could not be removed" />}
      <div>
        <Button variant="default" size="xs" onClick={() => setAdding(true)}>
          Add a rule
        </Button>
      </div>
      {isAdding && <AddRule group={group} onClose={() => setAdding(false)} />}
    </Stack>
  )
}

function CreateGroup({ onClose }: { readonly onClose: () => void }) {
  const create = (form: FormData) =>
    post('/v1/security-groups', { name: textOf(form, 'name') ?? '', description: textOf(form, 'description') ?? '' })
  return (
    <FormDialog title="Create security group" verb="Create" nouns={nouns} onClose={onClose} onSubmit={create}>
      <TextInput name="name" label="Name" maxLength={255} required data-autofocus />
      <TextInput name="description" label="Description" maxLength={255} />
    </FormDialog>
  )
}

function AddRule({ group, onClose }: { readonly group: SecurityGroupView; readonly onClose: () => void }) {
  const groups = useQuery(securityGroupsQuery).data
  return (
    <FormDialog
      title={`New rule of ${nameOf(group)}`}
      verb="Add"
      nouns={nouns}
      onClose={onClose}
      onSubmit={(form) => post(`/v1/security-groups/${group.id}/rules`, ruleOf(form))}
    >
      <NativeSelect
        name="direction"
        label="Direction"
        data={[
          { value: 'ingress', label: 'in: to its containers' },
          { value: 'egress', label: 'out: from its containers' },
        ]}
        data-autofocus
      />
      <NativeSelect
        name="protocol"
        label="Protocol"
        data={['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', { value: '', label: 'any' }]}
      />
      <Group grow>
        <NumberInput name="portMin" label="From port" min={0} max={65_535} allowDecimal={false} />
        <NumberInput
          name="portMax"
          label="To port"
          description="Empty: one port"
          min={0}
          max={65_535}
          allowDecimal={false}
        />
      </Group>
      <NativeSelect
        name="remoteGroup"
        label="Whose members may"
        data={[{ value: '', label: 'anybody, or the addresses below' }, ...choicesOf(groups)]}
      />
      <TextInput name="remotePrefix" label="Addresses" placeholder="0.0.0.0/0" description="Empty: everybody" />
    </FormDialog>
  )
}

function ruleOf(form: FormData): Record<string, unknown> {
  const portMin = numberOf(form, 'portMin')
  const portMax = numberOf(form, 'portMax') ?? portMin
  const [remoteGroup, remotePrefix] = [textOf(form, 'remoteGroup'), textOf(form, 'remotePrefix')]
  return {
    direction: textOf(form, 'direction'),
    protocol: textOf(form, 'protocol') ?? null,
    ...(portMin !== undefined && { portMin, portMax }),
    ...(remoteGroup !== undefined && { remoteGroup }),
    ...(remotePrefix !== undefined && { remotePrefix, version: remotePrefix.includes(':') ? 6 : 4 }),
  }
}
