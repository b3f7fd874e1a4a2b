import type { Session } from '../session.ts';

const BASH = `# bash completion for kubectl: asks "kubectl __complete" as cobra's own script does.
__start_kubectl()
{
    local IFS=$'\\n' line
    COMPREPLY=()
    for line in $(kubectl __complete "\${COMP_WORDS[@]:1:$COMP_CWORD}" 2>/dev/null); do
        case "$line" in :*) ;; *) COMPREPLY+=("\${line%%$'\\t'*}") ;; esac
    done
}
complete -o default -F __start_kubectl kubectl
`;

/** kubectl completion SHELL. */
export async function completion(session: Session, args: string[]): Promise<void> {
  if (args.length === 0) throw session.usageError('Shell not specified.');
  if (args.length > 1) throw session.usageError('Too many arguments. Expected only the shell type.');
  if (args[0] === 'bash') await session.out(BASH);
  else if (args[0] === 'zsh' || args[0] === 'fish' || args[0] === 'powershell')
    await session.out(`# kubectl completion ${args[0]} is not simulated yet: Tab works in this terminal already.\n`);
  else throw session.usageError(`Unsupported shell type ${JSON.stringify(args[0])}.`);
}
