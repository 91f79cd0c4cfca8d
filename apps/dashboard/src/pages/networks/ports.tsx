import { Checkbox, MultiSelect, NativeSelect, TextInput } from '@mantine/core'
import type { PortView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import {
  namesOf,
  newestContainersQuery,
  patch,
  post,
  remove,
  routersQuery,
  securityGroupsQuery,
} from '../../api/lists.ts'
import { networksQuery, portsQuery } from '../../api/nouns.ts'
import { FormDialog, textOf, wordsOf } from '../../parts/dialogs.tsx'
import { PlaceLink } from '../../parts/object-link.tsx'
import { Listing } from '../../parts/listing.tsx'
import { choicesOf, nameOf } from './named.ts'

export function PortList() {
  const query = useQuery(portsQuery)
  const networkName = namesOf(useQuery(networksQuery).data)
  const groupName = namesOf(useQuery(securityGroupsQuery).data)
  const routerName = namesOf(useQuery(routersQuery).data)
  const containerName = namesOf(useQuery(newestContainersQuery).data?.containers)
  const users = (port: PortView) => <User port={port} routerName={routerName} containerName={containerName} />
  return (
    <Listing
      noun="port"
      query={query}
      columns={[
        { label: 'Name', value: nameOf },
        { label: 'Network', value: ({ networkId }) => networkName(networkId) },
        { label: 'Addresses', value: addressesOf },
        { label: 'Used by', value: ({ deviceOwner }) => deviceOwner, show: users },
      ]}
      nameOf={nameOf}
      factsOf={(port) => [
        ['Id', port.id],
        ['Network', networkName(port.networkId)],
        ['Addresses', addressesOf(port)],
        ['MAC address', port.mac],
        ['Security groups', port.filtered ? port.securityGroups.map(groupName).join(', ') : 'not filtered'],
        ['Used by', users(port)],
        ['Kind of user', port.deviceOwner],
        ['Created', new Date(port.createdAt).toLocaleString()],
      ]}
      deeds={[
        { label: 'Change', form: (port, close) => <ChangePort port={port} onClose={close} /> },
        {
          label: 'Delete',
          isDangerous: true,
          isPossible: ({ deviceId }) => deviceId === null,
          question: () => 'Its addresses are given to others.',
          act: ({ id }) => remove(`/v1/ports/${id}`),
        },
      ]}
      create={{ label: 'Create port', form: (close) => <CreatePort onClose={close} /> }}
      about="A port is a place on a network with an address. Containers get theirs by themselves; create one to keep its address for later."
    />
  )
}

const addressesOf = ({ fixedIps }: PortView) => fixedIps.map(({ address }) => address).join(', ')

interface UserProps {
  readonly port: PortView
  readonly routerName: (id: string) => string
  readonly containerName: (id: string) => string
}

function User({ port: { deviceId, deviceOwner }, routerName, containerName }: UserProps) {
  if (deviceId === null) return '–'
  if (!deviceOwner.startsWith('compute'))
    return deviceOwner.includes('router') ? `router ${routerName(deviceId)}` : deviceOwner
  return <PlaceLink to={`/containers/${encodeURIComponent(deviceId)}`}>{containerName(deviceId)}</PlaceLink>
}

function Groups({ chosen }: { readonly chosen: readonly string[] }) {
  const groups = useQuery(securityGroupsQuery).data
  return (
    <MultiSelect
      name="groups"
      hiddenInputValuesDivider=","
      label="Security groups"
      data={choicesOf(groups)}
      defaultValue={[...chosen]}
      searchable
    />
  )
}

function CreatePort({ onClose }: { readonly onClose: () => void }) {
  const networks = useQuery(networksQuery).data
  const create = (form: FormData) => {
    const [name, address, securityGroups] = [textOf(form, 'name'), textOf(form, 'address'), wordsOf(form, 'groups')]
    return post('/v1/ports', {
      network: textOf(form, 'network'),
      ...(name !== undefined && { name }),
      ...(address !== undefined && { fixedIps: [{ address }] }),
      ...(securityGroups.length > 0 && { securityGroups }),
    })
  }
  return (
    <FormDialog title="Create port" verb="Create" nouns={['port']} onClose={onClose} onSubmit={create}>
      <NativeSelect name="network" label="Network" data={choicesOf(networks)} required data-autofocus />
      <TextInput name="name" label="Name" maxLength={255} />
      <TextInput name="address" label="Address" description="Left empty: the next that is free" />
      <Groups chosen={[]} />
    </FormDialog>
  )
}

function ChangePort({ port, onClose }: { readonly port: PortView; readonly onClose: () => void }) {
  const change = (form: FormData) =>
    patch(`/v1/ports/${port.id}`, {
      name: textOf(form, 'name') ?? '',
      securityGroups: wordsOf(form, 'groups'),
      filtered: form.get('filtered') === 'yes',
    })
  return (
    <FormDialog title={`Change ${nameOf(port)}`} verb="Change" nouns={['port']} onClose={onClose} onSubmit={change}>
      <TextInput name="name" label="Name" defaultValue={port.name} maxLength={255} data-autofocus />
      <Groups chosen={port.securityGroups} />
      <Checkbox
        name="filtered"
        value="yes"
        label="Filter what comes and goes"
        description="Else neither security groups nor the check of sender addresses apply."
        defaultChecked={port.filtered}
      />
    </FormDialog>
  )
}
