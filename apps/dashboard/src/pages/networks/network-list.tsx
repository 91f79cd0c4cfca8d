import { Checkbox, TextInput } from '@mantine/core'
import type { NetworkView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { namesOf, patch, post, remove, subnetsQuery } from '../../api/lists.ts'
import { networksQuery } from '../../api/nouns.ts'
import { Ago } from '../../parts/ago.tsx'
import { FormDialog, textOf } from '../../parts/dialogs.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { useSession } from '../../shell/session.tsx'
import { nameOf } from './named.ts'

export function NetworkList() {
  const session = useSession()
  const query = useQuery(networksQuery)
  const subnets = useQuery(subnetsQuery).data ?? []
  const cidrsOf = (network: NetworkView) =>
    subnets.filter(({ networkId }) => networkId === network.id).map(({ cidr }) => cidr)
  const isOwn = ({ projectId }: NetworkView) => session.isAdmin || projectId === session.project.id
  const projectName = namesOf(session.projects)
  return (
    <Listing
      noun="network"
      query={query}
      columns={[
        { label: 'Name', value: nameOf },
        { label: 'Subnets', value: (network) => cidrsOf(network).join(', ') },
        { label: 'For', value: forWhom },
        { label: 'Created', value: ({ createdAt }) => createdAt, show: ({ createdAt }) => <Ago time={createdAt} /> },
      ]}
      nameOf={nameOf}
      factsOf={(network) => [
        ['Id', network.id],
        ['Subnets', cidrsOf(network).join(', ')],
        ['For', forWhom(network)],
        ['Project', projectName(network.projectId)],
        ['Largest packet', `${network.mtu} bytes`],
        ['Created', new Date(network.createdAt).toLocaleString()],
      ]}
      deeds={deedsFor(isOwn)}
      touches={['subnet', 'port']}
      create={{ label: 'Create network', form: (close) => <CreateNetwork onClose={close} /> }}
      about="Containers of one network reach each other. A project that has none gets one with its first container; create your own to keep things apart."
    />
  )
}

function forWhom({ shared, external }: NetworkView): string {
  if (external) return 'the way out of the cloud'
  return shared ? 'every project' : 'this project'
}

function deedsFor(isOwn: (network: NetworkView) => boolean): readonly Deed<NetworkView>[] {
  return [
    {
      label: 'Rename',
      isPossible: isOwn,
      form: (network, close) => (
        <FormDialog
          title={`Rename ${nameOf(network)}`}
          verb="Rename"
          nouns={['network']}
          onClose={close}
          onSubmit={(form) => patch(`/v1/networks/${network.id}`, { name: textOf(form, 'name') ?? '' })}
        >
          <TextInput name="name" label="New name" defaultValue={network.name} maxLength={255} data-autofocus />
        </FormDialog>
      ),
    },
    {
      label: 'Delete',
      isDangerous: true,
      isPossible: isOwn,
      question: () => 'Its subnets go with it. It must have no ports left.',
      act: ({ id }) => remove(`/v1/networks/${id}`),
    },
  ]
}

function CreateNetwork({ onClose }: { readonly onClose: () => void }) {
  const { isAdmin } = useSession()
  return (
    <FormDialog
      title="Create network"
      verb="Create"
      nouns={['network', 'subnet']}
      onClose={onClose}
      onSubmit={createNetwork}
    >
      <TextInput name="name" label="Name" maxLength={255} data-autofocus />
      <TextInput
        name="cidr"
        label="Subnet"
        placeholder="10.7.0.0/24"
        description="The addresses of its containers. More subnets can be added later; without any no container can be on it."
      />
      {isAdmin && <Checkbox name="shared" value="yes" label="Every project may use it" />}
      {isAdmin && (
        <Checkbox name="external" value="yes" label="It leads out of the cloud (for routers and floating IPs)" />
      )}
    </FormDialog>
  )
}

/** Two calls; a network whose subnet was refused is taken back, so that one may try again. */
async function createNetwork(form: FormData): Promise<void> {
  const body = {
    name: textOf(form, 'name') ?? '',
    ...(form.get('shared') === 'yes' && { shared: true }),
    ...(form.get('external') === 'yes' && { external: true }),
  }
  const made = await call<NetworkView>('/v1/networks', { method: 'POST', body })
  const cidr = textOf(form, 'cidr')
  if (cidr === undefined) return
  try {
    await post('/v1/subnets', { network: made.id, cidr })
  } catch (error) {
    await remove(`/v1/networks/${made.id}`)
    throw error
  }
}
