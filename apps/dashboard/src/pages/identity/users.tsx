import { NativeSelect, PasswordInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { identity, projectsQuery, rolesQuery, type UserView, usersQuery } from '../../api/identity.ts'
import { namesOf } from '../../api/lists.ts'
import { FormDialog, textOf } from '../../parts/dialogs.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { choicesOf } from '../networks/named.ts'
import { Grants } from './grants.tsx'

export function UserList() {
  const query = useQuery(usersQuery)
  const projectName = namesOf(useQuery(projectsQuery).data)
  return (
    <Listing
      noun="user"
      query={query}
      columns={[
        { label: 'Name', value: ({ name }) => name },
        { label: 'Mail', value: ({ email }) => email ?? null },
        { label: 'Default project', value: ({ default_project_id }) => projectName(default_project_id ?? null) },
        { label: 'State', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
      ]}
      nameOf={({ name }) => name}
      factsOf={(user) => [
        ['Id', user.id],
        ['Mail', user.email],
        ['Description', user.description],
        ['State', user.enabled ? 'enabled' : 'disabled: she cannot sign in'],
        ['Domain', user.domain_id],
      ]}
      more={(user) => <Grants user={user} />}
      deeds={deeds}
      create={{ label: 'Create user', form: (close) => <CreateUser onClose={close} /> }}
      about="A user signs in with a name and a password, and may do in each project what a role there allows."
    />
  )
}

const deeds: readonly Deed<UserView>[] = [
  { label: 'Give a role', form: (user, close) => <GiveRole user={user} onClose={close} /> },
  { label: 'Set a password', form: (user, close) => <SetPassword user={user} onClose={close} /> },
  {
    label: 'Disable',
    isPossible: ({ enabled }) => enabled,
    question: () => 'Her tokens and sessions end at once, and she cannot sign in until she is enabled again.',
    act: ({ id }) => identity('PATCH', `/users/${id}`, { user: { enabled: false } }),
  },
  {
    label: 'Enable',
    isPossible: ({ enabled }) => !enabled,
    act: ({ id }) => identity('PATCH', `/users/${id}`, { user: { enabled: true } }),
  },
  {
    label: 'Delete',
    isDangerous: true,
    question: () => 'What she made stays in its projects.',
    act: ({ id }) => identity('DELETE', `/users/${id}`),
  },
]

function grant(project: string, user: string, role: string): Promise<unknown> {
  return identity('PUT', `/projects/${project}/users/${user}/roles/${role}`)
}

/** Which role where. `member` comes first: it is what most need. */
function Role({ isOptional = false }: { readonly isOptional?: boolean }) {
  const projects = useQuery(projectsQuery).data
  const roles = (useQuery(rolesQuery).data ?? []).toSorted(
    (a, b) => Number(b.name === 'member') - Number(a.name === 'member'),
  )
  const none = isOptional ? [{ value: '', label: 'none yet' }] : []
  return (
    <>
      <NativeSelect name="project" label="Project" data={[...choicesOf(projects), ...none]} required={!isOptional} />
      <NativeSelect name="role" label="Role there" data={choicesOf(roles)} />
    </>
  )
}

function CreateUser({ onClose }: { readonly onClose: () => void }) {
  const create = async (form: FormData) => {
    const [project, role, email] = [textOf(form, 'project'), textOf(form, 'role'), textOf(form, 'email')]
    const body = {
      name: textOf(form, 'name'),
      password: form.get('password'),
      ...(email !== undefined && { email }),
      ...(project !== undefined && { default_project_id: project }),
    }
    const { user } = await identity<{ user: UserView }>('POST', '/users', { user: body })
    if (project !== undefined && role !== undefined) await grant(project, user.id, role)
  }
  return (
    <FormDialog title="Create user" verb="Create" nouns={['user', 'assignment']} onClose={onClose} onSubmit={create}>
      <TextInput name="name" label="Name" maxLength={255} required autoComplete="off" data-autofocus />
      <PasswordInput name="password" label="Password" required autoComplete="new-password" />
      <TextInput name="email" label="Mail" type="email" />
      <Role isOptional />
    </FormDialog>
  )
}

interface OfUser {
  readonly user: UserView
  readonly onClose: () => void
}

function GiveRole({ user, onClose }: OfUser) {
  return (
    <FormDialog
      title={`A role for ${user.name}`}
      verb="Give it"
      nouns={['assignment']}
      onClose={onClose}
      onSubmit={(form) => grant(textOf(form, 'project') ?? '', user.id, textOf(form, 'role') ?? '')}
    >
      <Role />
    </FormDialog>
  )
}

function SetPassword({ user, onClose }: OfUser) {
  return (
    <FormDialog
      title={`A new password for ${user.name}`}
      verb="Set it"
      nouns={[]}
      onClose={onClose}
      onSubmit={(form) => identity('PATCH', `/users/${user.id}`, { user: { password: form.get('password') } })}
    >
      <PasswordInput name="password" label="New password" required autoComplete="new-password" data-autofocus />
    </FormDialog>
  )
}
