from . import recap
