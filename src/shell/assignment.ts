import { evaluate, expandText, expandWords } from './expand.ts';
import type { Shell } from './shell.ts';
import type { Assignment } from './syntax.ts';

/** Carries out `name=value`, `name[i]=value` or `name=(…)`. */
export async function assign(shell: Shell, assignment: Assignment): Promise<void> {
  const { name, append } = assignment;
  if (assignment.elements) {
    const variable = shell.variables.declare(name);
    if (variable.readonly) shell.set(name, '');
    if (!append || !variable.array) variable.array = new Map(append && variable.value !== undefined ? [['0', variable.value]] : []);
    variable.value = '';
    // Looking for the end takes time with the length.
    shell.process.charge(variable.array.size / 20_000);
    let next = [...variable.array.keys()].reduce((most, key) => Math.max(most, Number(key)), -1) + 1;
    for (const word of assignment.elements) {
      const keyed = word[0]?.type === 'text' && !word[0].quoted ? /^\[([^\]]*)\]=/.exec(word[0].text) : null;
      if (keyed) {
        const first = word[0] as { type: 'text'; text: string; quoted: boolean };
        shell.setElement(`${name}[${keyed[1]}]`, await expandText(shell, [{ ...first, text: first.text.slice(keyed[0].length) }, ...word.slice(1)]));
      } else
        for (const value of await expandWords(shell, [word])) {
          shell.variables.hold(shell.process, value.length + 64);
          variable.array.set(String(next++), value);
        }
    }
    return;
  }
  const text = await expandText(shell, assignment.value, true);
  const reference = assignment.index ? `${name}[${await expandText(shell, assignment.index)}]` : name;
  const integer = shell.variables.find(name)?.integer;
  const before = append ? (shell.getElement(reference) ?? '') : '';
  shell.setElement(reference, integer ? String(evaluate(shell, append ? `${before || 0}+(${text})` : text)) : before + text);
}
