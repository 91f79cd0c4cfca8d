import { Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { namesOf, post, remove, subnetsQuery } from '../../api/lists.ts'
import { networksQuery } from '../../api/nouns.ts'
import { FormDialog, textOf, wordsOf } from '../../parts/dialogs.tsx'
import { Listing } from '../../parts/listing.tsx'
import { choicesOf, nameOf } from './named.ts'

export function SubnetList() {
  const query = useQuery(subnetsQuery)
  const networkName = namesOf(useQuery(networksQuery).data)
  return (
    <Listing
      noun="subnet"
      query={query}
      columns={[
        { label: 'Name', value: nameOf },
        { label: 'Network', value: ({ networkId }) => networkName(networkId) },
        { label: 'Addresses', value: ({ cidr }) => cidr },
        { label: 'Gateway', value: ({ gateway }) => gateway },
      ]}
      nameOf={nameOf}
      factsOf={(subnet) => [
        ['Id', subnet.id],
        ['Network', networkName(subnet.networkId)],
        ['Addresses', subnet.cidr],
        ['Gateway', subnet.gateway ?? 'none: no way out'],
        ['Given out', subnet.pools.map(({ start, end }) => `${start} to ${end}`).join(', ')],
        ['Name servers', subnet.dnsServers.join(', ')],
        ['Created', new Date(subnet.createdAt).toLocaleString()],
      ]}
      deeds={[
        {
          label: 'Delete',
          isDangerous: true,
          question: () => 'It must have no ports left, and no router may be on it.',
          act: ({ id }) => remove(`/v1/subnets/${id}`),
        },
      ]}
      create={{ label: 'Create subnet', form: (close) => <CreateSubnet onClose={close} /> }}
      about="A subnet is the range of addresses that containers of a network are given."
    />
  )
}

function CreateSubnet({ onClose }: { readonly onClose: () => void }) {
  const networks = useQuery(networksQuery).data
  return (
    <FormDialog title="Create subnet" verb="Create" nouns={['subnet']} onClose={onClose} onSubmit={createSubnet}>
      <NativeSelect name="network" label="Network" data={choicesOf(networks)} required data-autofocus />
      <TextInput name="cidr" label="Addresses" placeholder="10.7.0.0/24" required />
      <TextInput name="name" label="Name" maxLength={255} />
      <TextInput name="gateway" label="Gateway" description="Left empty: the first address" />
      <Checkbox name="closed" value="yes" label="No gateway: no way out" />
      <TextInput name="dns" label="Name servers" description="Addresses, with commas between them" />
    </FormDialog>
  )
}

function createSubnet(form: FormData): Promise<unknown> {
  const [name, gateway, dnsServers] = [textOf(form, 'name'), textOf(form, 'gateway'), wordsOf(form, 'dns')]
  return post('/v1/subnets', {
    network: textOf(form, 'network'),
    cidr: textOf(form, 'cidr'),
    ...(name !== undefined && { name }),
    ...(form.get('closed') === 'yes' ? { gateway: null } : gateway !== undefined && { gateway }),
    ...(dnsServers.length > 0 && { dnsServers }),
  })
}
