#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""type-line.py bash|zsh DIR LINE... : type each line, tabs and all, into an interactive shell that has
the completions in DIR, print what has become of it, and put what was on the screen into DIR/screen."""
import os, pty, select, sys, time

PROMPT = 'type here> '
BASH = f"""PS1='{PROMPT}'
for script in %(dir)s/bash/*; do source "$script"; done
tell() {{ printf '%%s\\n' "$READLINE_LINE" >&%(fd)d; READLINE_LINE= READLINE_POINT=0; }}
bind -x '"\\C-o": tell'
"""
ZSH = f"""unsetopt auto_menu prompt_sp
fpath=(%(dir)s/zsh $fpath)
autoload -Uz compinit && compinit -D -u
tell() {{ print -r -- "$BUFFER" >&%(fd)d; BUFFER= }}
zle -N tell && bindkey '^O' tell
PS1='{PROMPT}'
"""

shell, directory, lines = sys.argv[1], sys.argv[2], sys.argv[3:]
read_fd, write_fd = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.set_inheritable(write_fd, True)
    rc = f'{directory}/{"bashrc" if shell == "bash" else ".zshrc"}'
    with open(rc, 'w') as file:
        file.write((BASH if shell == 'bash' else ZSH) % {'dir': directory, 'fd': write_fd})
    os.environ.update(TERM='dumb', ZDOTDIR=directory, COLUMNS='200', LINES='50')
    os.execvp(shell, ['bash', '--noprofile', '--rcfile', rc, '-i'] if shell == 'bash' else ['zsh', '-d', '-i'])
os.close(write_fd)
end = time.monotonic() + 60
screen = b''


def read_until(done):
    global screen
    got = b''
    while not done(got):
        ready, _, _ = select.select([terminal, read_fd], [], [], max(0, end - time.monotonic()))
        if not ready:
            sys.exit(f'type-line.py: {shell} hangs: {screen!r}')
        if terminal in ready:
            screen += os.read(terminal, 65536)
        if read_fd in ready:
            got += os.read(read_fd, 65536)
    return got.decode()


read_until(lambda got: PROMPT.encode() in screen)
for line in lines:
    os.write(terminal, line.encode() + b'\x0f')
    print(read_until(lambda got: got.endswith(b'\n')), end='')
with open(f'{directory}/screen', 'wb') as file:
    file.write(screen)
os.close(terminal)  # a hang-up ends the shell
os.waitpid(pid, 0)
