import { NativeSelect, Stack, Text, Title } from '@mantine/core'
import type { FloatingIpView, PortView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { floatingIpsQuery, namesOf, patch, post, remove } from '../../api/lists.ts'
import { networksQuery, portsQuery } from '../../api/nouns.ts'
import { FormDialog, textOf } from '../../parts/dialogs.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { choicesOf, nameOf } from './named.ts'

const nouns = ['floating-ip', 'container']

export function FloatingIpList() {
  const query = useQuery(floatingIpsQuery)
  const networkName = namesOf(useQuery(networksQuery).data)
  return (
    <Listing
      noun="floating-ip"
      called="floating IP"
      query={query}
      columns={[
        { label: 'Address', value: ({ address }) => address },
        { label: 'From', value: ({ networkId }) => networkName(networkId) },
        { label: 'Leads to', value: leadsTo },
      ]}
      nameOf={({ address }) => address}
      factsOf={(ip) => [
        ['Id', ip.id],
        ['From network', networkName(ip.networkId)],
        ['Leads to', leadsTo(ip)],
        ['Port', ip.portId],
        ['Router', ip.routerId],
        ['Created', new Date(ip.createdAt).toLocaleString()],
      ]}
      more={(ip) => <Forwardings ip={ip} />}
      deeds={deeds}
      touches={['container']}
      create={{ label: 'Get a floating IP', form: (close) => <CreateFloatingIp onClose={close} /> }}
      about="A floating IP is an address of the outer network that leads to a container. The container's network needs a router with a way out."
    />
  )
}

function leadsTo({ fixedAddress, forwardings }: FloatingIpView): string {
  if (fixedAddress !== null) return fixedAddress
  return forwardings.length === 0 ? '' : `${forwardings.length} forwarded ports`
}

function Forwardings({ ip: { forwardings } }: { readonly ip: FloatingIpView }) {
  if (forwardings.length === 0) return null
  return (
    <Stack gap={4}>
      <Title order={3} size="h5">
        Forwarded ports
      </Title>
      {forwardings.map(({ id, protocol, externalPort, address, internalPort }) => (
        <Text key={id} size="sm">
          {externalPort}/{protocol} to {address}:{internalPort}
        </Text>
      ))}
    </Stack>
  )
}

const deeds: readonly Deed<FloatingIpView>[] = [
  {
    label: 'Lead it to a container',
    form: (ip, close) => <Associate ip={ip} onClose={close} />,
  },
  {
    label: 'Lead it nowhere',
    isPossible: ({ portId }) => portId !== null,
    act: ({ id }) => patch(`/v1/floating-ips/${id}`, { port: null }),
  },
  {
    label: 'Give it back',
    isDangerous: true,
    question: ({ address }) => `Nothing is reached at ${address} any more, and another project may get it.`,
    act: ({ id }) => remove(`/v1/floating-ips/${id}`),
  },
]

function usePortChoices(): { value: string; label: string }[] {
  const networkName = namesOf(useQuery(networksQuery).data)
  const ports = useQuery(portsQuery).data ?? []
  return ports
    .filter(({ deviceOwner }) => !deviceOwner.startsWith('network:'))
    .map((port: PortView) => ({
      value: port.id,
      label: `${port.fixedIps.map(({ address }) => address).join(', ')} on ${networkName(port.networkId)}, ${nameOf(port)}`,
    }))
}

function Associate({ ip, onClose }: { readonly ip: FloatingIpView; readonly onClose: () => void }) {
  const data = usePortChoices()
  return (
    <FormDialog
      title={`Where ${ip.address} leads`}
      verb="Lead it there"
      nouns={nouns}
      onClose={onClose}
      onSubmit={(form) => patch(`/v1/floating-ips/${ip.id}`, { port: textOf(form, 'port') })}
    >
      <NativeSelect name="port" label="Port of a container" data={data} required data-autofocus />
    </FormDialog>
  )
}

function CreateFloatingIp({ onClose }: { readonly onClose: () => void }) {
  const external = (useQuery(networksQuery).data ?? []).filter((network) => network.external)
  const data = usePortChoices()
  const create = (form: FormData) => {
    const [network, port] = [textOf(form, 'network'), textOf(form, 'port')]
    return post('/v1/floating-ips', { ...(network !== undefined && { network }), ...(port !== undefined && { port }) })
  }
  return (
    <FormDialog title="Get a floating IP" verb="Get it" nouns={nouns} onClose={onClose} onSubmit={create}>
      <NativeSelect name="network" label="From network" data={choicesOf(external)} data-autofocus />
      <NativeSelect name="port" label="Leads to" data={[{ value: '', label: 'nowhere yet' }, ...data]} />
    </FormDialog>
  )
}
