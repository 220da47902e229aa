from . import recap, statement
