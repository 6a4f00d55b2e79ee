-- What MySQL counts, and whether this connection is encrypted.
show session status where variable_name in ('Threads_connected', 'Ssl_cipher')
