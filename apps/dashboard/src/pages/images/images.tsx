import { FileInput, NativeSelect, TextInput } from '@mantine/core'
import type { ImageView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import { patch, post, remove } from '../../api/lists.ts'
import { imagesQuery } from '../../api/nouns.ts'
import { Ago } from '../../parts/ago.tsx'
import { bytesText } from '../../parts/amounts.ts'
import { FormDialog, textOf } from '../../parts/dialogs.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { Page } from '../../parts/page.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import type { Column } from '../../parts/table.tsx'
import { useSession } from '../../shell/session.tsx'
import { Members, Share } from './members.tsx'
import { Provenance } from './provenance.tsx'

/** The catalogue of the project: what containers are made of. */
export function Images() {
  const session = useSession()
  const query = useQuery(imagesQuery)
  const navigate = useNavigate()
  const isOwn = ({ projectId }: ImageView) => session.isAdmin || projectId === session.project.id
  return (
    <Page title="Images">
      <Listing
        noun="image"
        query={query}
        columns={columns}
        nameOf={({ name }) => name}
        factsOf={(image) => [
          ['Id', image.id],
          ['Status', <StateBadge key="state" state={image.status} reason={null} />],
          ['Visible to', image.visibility],
          ['Of project', session.projects.find(({ id }) => id === image.projectId)?.name ?? image.projectId],
          ['Kind', image.kind],
          ['In the store', image.bytes === null ? null : bytesText(image.bytes)],
          ['Unpacked', image.size === null ? null : bytesText(image.size)],
          ['Digest', image.digest],
          ['Engines call it', image.imageId],
          ['Protected', image.protected ? 'yes: it cannot be deleted' : 'no'],
          ['Created', new Date(image.createdAt).toLocaleString()],
        ]}
        more={(image) => (
          <>
            {image.visibility === 'shared' && isOwn(image) && <Members image={image} />}
            <Provenance image={image} />
          </>
        )}
        deeds={deedsFor(isOwn, session.isAdmin, (image) => void navigate({ to: '/launch', search: { image } }))}
        touches={['quota']}
        create={{ label: 'Upload image', form: (close) => <Upload onClose={close} /> }}
        about="Images come here by docker push, by openstack image create, as snapshots of containers, or from a file made by docker save. A container may also name an image of a public registry: it is fetched when it is needed."
      />
    </Page>
  )
}

const columns: readonly Column<ImageView>[] = [
  { label: 'Name', value: ({ name }) => name },
  {
    label: 'Size',
    value: ({ bytes }) => bytes,
    show: ({ bytes }) => (bytes === null ? '–' : bytesText(bytes)),
    isNumber: true,
  },
  { label: 'Status', value: ({ status }) => status, show: ({ status }) => <StateBadge state={status} reason={null} /> },
  { label: 'Visible to', value: ({ visibility }) => visibility },
  { label: 'Created', value: ({ createdAt }) => createdAt, show: ({ createdAt }) => <Ago time={createdAt} /> },
]

function deedsFor(
  isOwn: (image: ImageView) => boolean,
  isAdmin: boolean,
  onLaunch: (name: string) => void,
): readonly Deed<ImageView>[] {
  return [
    {
      label: 'Launch',
      isPossible: ({ status, kind }) => status === 'active' && kind !== 'artifact',
      act: async ({ name }) => onLaunch(name),
    },
    {
      label: 'Add a name',
      isPossible: ({ status }) => status === 'active',
      form: (image, close) => <Tag image={image} onClose={close} />,
    },
    {
      label: 'Change who sees it',
      isPossible: isOwn,
      form: (image, close) => <Visibility image={image} isAdmin={isAdmin} onClose={close} />,
    },
    {
      label: 'Share with a project',
      isPossible: (image) => isOwn(image) && image.visibility === 'shared',
      form: (image, close) => <Share image={image} onClose={close} />,
    },
    {
      label: 'Download',
      isPossible: ({ status, kind }) => status === 'active' && kind !== 'artifact',
      act: async (image) => download(image),
    },
    {
      label: 'Delete',
      isDangerous: true,
      isPossible: (image) => isOwn(image) && !image.protected,
      question: () => 'The name goes. Containers made of it run on; what nothing else needs is removed from the store.',
      act: ({ id }) => remove(`/v1/images/${id}`),
    },
  ]
}

/** By the browser itself, so that it need not fit in memory. */
function download({ id, name }: ImageView): void {
  const link = document.createElement('a')
  link.href = `/v1/images/${id}/archive`
  link.download = `${name.replaceAll(/[^\w.-]+/g, '_')}.tar`
  link.click()
}

interface OfImage {
  readonly image: ImageView
  readonly onClose: () => void
}

function Tag({ image, onClose }: OfImage) {
  const add = (form: FormData) => {
    const tag = textOf(form, 'tag')
    return post(`/v1/images/${image.id}/tag`, { repo: textOf(form, 'repo'), ...(tag !== undefined && { tag }) })
  }
  return (
    <FormDialog
      title={`A further name for ${image.name}`}
      verb="Add"
      nouns={['image']}
      onClose={onClose}
      onSubmit={add}
    >
      <TextInput name="repo" label="Name" placeholder="shop/web" required data-autofocus />
      <TextInput name="tag" label="Tag" placeholder="latest" />
    </FormDialog>
  )
}

function Visibility({ image, isAdmin, onClose }: OfImage & { readonly isAdmin: boolean }) {
  return (
    <FormDialog
      title={`Who sees ${image.name}`}
      verb="Change"
      nouns={['image']}
      onClose={onClose}
      onSubmit={(form) => patch(`/v1/images/${image.id}`, { visibility: textOf(form, 'visibility') })}
    >
      <NativeSelect
        name="visibility"
        label="Visible to"
        defaultValue={image.visibility}
        data={[
          { value: 'private', label: 'this project' },
          { value: 'shared', label: 'projects it is shared with' },
          ...(isAdmin ? [{ value: 'public', label: 'every project' }] : []),
        ]}
        data-autofocus
      />
    </FormDialog>
  )
}

function Upload({ onClose }: { readonly onClose: () => void }) {
  const upload = (form: FormData) => {
    const file = form.get('file')
    if (!(file instanceof File) || file.size === 0) throw new Error('Choose a file that docker save has made.')
    const name = textOf(form, 'name')
    return call('/v1/images/archive', {
      method: 'POST',
      query: { name },
      headers: { 'content-type': 'application/x-tar' },
      body: file,
    })
  }
  return (
    <FormDialog
      title="Upload an image"
      verb="Upload"
      nouns={['image', 'quota']}
      onClose={onClose}
      onSubmit={async (form) => upload(form)}
    >
      <FileInput
        name="file"
        label="Archive"
        description="A tar file as docker save or podman save makes it"
        placeholder="Choose a file"
        accept=".tar,application/x-tar"
        required
      />
      <TextInput name="name" label="Name" description="Left empty: the one that the archive gives it" maxLength={512} />
    </FormDialog>
  )
}
