import { Button, Checkbox, Group, NativeSelect, Stack, Text, TextInput, Title } from '@mantine/core'
import type { RouterView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { namesOf, post, remove, routersQuery, subnetsQuery } from '../../api/lists.ts'
import { networksQuery } from '../../api/nouns.ts'
import { FormDialog, textOf, useAct } from '../../parts/dialogs.tsx'
import { Failure } from '../../parts/failure.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { choicesOf, nameOf } from './named.ts'

const nouns = ['router', 'port']

export function RouterList() {
  const query = useQuery(routersQuery)
  const networkName = namesOf(useQuery(networksQuery).data)
  const wayOut = ({ gateway }: RouterView) =>
    gateway === null ? '' : `${networkName(gateway.networkId)} (${gateway.address})`
  return (
    <Listing
      noun="router"
      query={query}
      columns={[
        { label: 'Name', value: nameOf },
        { label: 'Way out', value: wayOut },
        {
          label: 'Networks',
          value: ({ interfaces }) => interfaces.map(({ networkId }) => networkName(networkId)).join(', '),
        },
      ]}
      nameOf={nameOf}
      factsOf={(router) => [
        ['Id', router.id],
        ['Way out', wayOut(router)],
        [
          'Source addresses',
          router.gateway && (router.gateway.snat ? 'hidden behind that of the router' : 'kept as they are'),
        ],
        ['Created', new Date(router.createdAt).toLocaleString()],
      ]}
      more={(router) => <Interfaces router={router} networkName={networkName} />}
      deeds={deeds}
      touches={['port']}
      create={{ label: 'Create router', form: (close) => <CreateRouter onClose={close} /> }}
      about="A router connects networks with each other, and with the world. Floating IPs need one."
    />
  )
}

const deeds: readonly Deed<RouterView>[] = [
  { label: 'Connect a subnet', form: (router, close) => <AddInterface router={router} onClose={close} /> },
  { label: 'Set the way out', form: (router, close) => <SetGateway router={router} onClose={close} /> },
  {
    label: 'Take away the way out',
    isDangerous: true,
    isPossible: ({ gateway }) => gateway !== null,
    question: () => 'Containers behind it reach the world no longer, and floating IPs do not reach them.',
    act: ({ id }) => remove(`/v1/routers/${id}/gateway`),
  },
  {
    label: 'Delete',
    isDangerous: true,
    question: () => 'Its subnets must be disconnected before.',
    act: ({ id }) => remove(`/v1/routers/${id}`),
  },
]

interface InterfacesProps {
  readonly router: RouterView
  readonly networkName: (id: string) => string
}

function Interfaces({ router, networkName }: InterfacesProps) {
  const [leaving, setLeaving] = useState('')
  const disconnecting = useAct(
    nouns,
    () => setLeaving(''),
    (portId: string) => call(`/v1/routers/${router.id}/interfaces`, { method: 'DELETE', query: { port: portId } }),
  )
  const disconnect = (portId: string) => {
    setLeaving(portId)
    disconnecting.mutate(portId)
  }
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        Connected subnets
      </Title>
      {router.interfaces.length === 0 && <Text c="dimmed">None yet.</Text>}
      {router.interfaces.map(({ portId, networkId, address }) => (
        <Group key={portId} justify="space-between">
          <Text size="sm">
            {networkName(networkId)} at {address}
          </Text>
          <Button
            size="compact-xs"
            variant="default"
            loading={leaving === portId && disconnecting.isPending}
            onClick={() => disconnect(portId)}
          >
            Disconnect
          </Button>
        </Group>
      ))}
      {disconnecting.error && <Failure error={disconnecting.error} what="It could not be disconnected" />}
    </Stack>
  )
}

function CreateRouter({ onClose }: { readonly onClose: () => void }) {
  const external = (useQuery(networksQuery).data ?? []).filter((network) => network.external)
  const create = async (form: FormData) => {
    const body = { name: textOf(form, 'name') ?? '' }
    const made = await call<RouterView>('/v1/routers', { method: 'POST', body })
    const network = textOf(form, 'network')
    if (network === undefined) return
    await call(`/v1/routers/${made.id}/gateway`, { method: 'PUT', body: { network } }).catch(async (error: unknown) => {
      await remove(`/v1/routers/${made.id}`)
      throw error
    })
  }
  return (
    <FormDialog title="Create router" verb="Create" nouns={nouns} onClose={onClose} onSubmit={create}>
      <TextInput name="name" label="Name" maxLength={255} data-autofocus />
      <NativeSelect name="network" label="Way out" data={[...choicesOf(external), { value: '', label: 'none' }]} />
    </FormDialog>
  )
}

interface OfRouter {
  readonly router: RouterView
  readonly onClose: () => void
}

function AddInterface({ router, onClose }: OfRouter) {
  const networkName = namesOf(useQuery(networksQuery).data)
  const subnets = useQuery(subnetsQuery).data ?? []
  const data = subnets.map(({ id, cidr, networkId }) => ({ value: id, label: `${networkName(networkId)}: ${cidr}` }))
  return (
    <FormDialog
      title={`Connect a subnet to ${nameOf(router)}`}
      verb="Connect"
      nouns={nouns}
      onClose={onClose}
      onSubmit={(form) => post(`/v1/routers/${router.id}/interfaces`, { subnet: textOf(form, 'subnet') })}
    >
      <NativeSelect name="subnet" label="Subnet" data={data} required data-autofocus />
    </FormDialog>
  )
}

function SetGateway({ router, onClose }: OfRouter) {
  const external = (useQuery(networksQuery).data ?? []).filter((network) => network.external)
  const set = (form: FormData) =>
    call(`/v1/routers/${router.id}/gateway`, {
      method: 'PUT',
      body: { network: textOf(form, 'network'), snat: form.get('snat') === 'yes' },
    })
  return (
    <FormDialog title={`Way out of ${nameOf(router)}`} verb="Set" nouns={nouns} onClose={onClose} onSubmit={set}>
      <NativeSelect name="network" label="External network" data={choicesOf(external)} required data-autofocus />
      <Checkbox
        name="snat"
        value="yes"
        label="Hide source addresses"
        description="Containers go out under the address of the router."
        defaultChecked
      />
    </FormDialog>
  )
}
